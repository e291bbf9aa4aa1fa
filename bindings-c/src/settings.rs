//! What a call would go by, texts that stand for themselves, and IDs.

use std::ffi::{CString, c_char};
use std::ptr;

use portalloc_core::{IsolationId, ffi};

use crate::options::{ALLOCATORS, settings};
use crate::pointers::{self, borrow, elements, free, give, give_text, text};
use crate::results::{ResultNumber, c_text, call, value};

/// The registry and the pool that calls go by.
pub struct Settings {
    directory: CString,
    pool: CString,
    ports: CString,
    count: usize,
}

/// The registry and the pool that calls from the current folder go by: arguments, which may be NULL, else variables, else
/// the project file, else the defaults. To be freed by `portalloc_settings_free`.
///
/// # Safety
/// `pool` and `exclude` must be NULL or texts, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings_new(
    pool: *const c_char,
    exclude: *const c_char,
    out: *mut *mut Settings,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let settings = unsafe { settings(pool, exclude) }?;
        let read = ALLOCATORS.with(&settings, |allocator| {
            let pool = allocator.pool();
            Ok(Settings {
                directory: c_text(&allocator.directory().to_string_lossy()),
                pool: c_text(pool.asked()),
                ports: c_text(&pool.ports().to_string()),
                count: pool.ports().count(),
            })
        })?;
        // SAFETY: as this function's caller promises.
        unsafe { give(out, read) }
    })
}

/// The registry's folder, in which all leases of this machine meet. NULL for NULL.
///
/// # Safety
/// `settings` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings_directory(settings: *const Settings) -> *const c_char {
    // SAFETY: as this function's caller promises.
    value(ptr::null(), || Ok(unsafe { borrow(settings, "settings") }?.directory.as_ptr()))
}

/// The pool as it was asked for, such as "20000-29999".
///
/// # Safety
/// `settings` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings_pool(settings: *const Settings) -> *const c_char {
    // SAFETY: as this function's caller promises.
    value(ptr::null(), || Ok(unsafe { borrow(settings, "settings") }?.pool.as_ptr()))
}

/// The ports that may be given out: the pool without the kernel's ephemeral range, known services, and exclusions.
///
/// # Safety
/// `settings` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings_ports(settings: *const Settings) -> *const c_char {
    // SAFETY: as this function's caller promises.
    value(ptr::null(), || Ok(unsafe { borrow(settings, "settings") }?.ports.as_ptr()))
}

/// How many those are.
///
/// # Safety
/// `settings` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings_port_count(settings: *const Settings) -> usize {
    // SAFETY: as this function's caller promises.
    value(0, || Ok(unsafe { borrow(settings, "settings") }?.count))
}

/// Frees it. NULL does nothing.
///
/// # Safety
/// `settings` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_settings_free(settings: *mut Settings) {
    // SAFETY: as this function's caller promises.
    unsafe { free(settings) };
}

/// Whether a text is an isolation ID, 12 lower-case hexadecimal digits: if not, PORTALLOC_RESULT_INVALID_ID.
///
/// # Safety
/// `id` must be NULL or a text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_check_id(id: *const c_char) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let id = unsafe { text(id, "id") }?.ok_or_else(|| pointers::null("id"))?;
        id.parse::<IsolationId>().map(|_| ())
    })
}

/// Writes variables, a line each, whatever the values contain, in the syntax "shell" (safe to eval), "fish", "powershell",
/// "dotenv" or "github". The text is to be freed by `portalloc_text_free`.
///
/// # Safety
/// `names` and `values` must have `count` texts each, `syntax` be NULL or a text, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_render(
    names: *const *const c_char,
    values: *const *const c_char,
    count: usize,
    syntax: *const c_char,
    out: *mut *mut c_char,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let syntax = ffi::syntax(unsafe { text(syntax, "syntax") }?.unwrap_or("shell"))?;
        // SAFETY: as this function's caller promises.
        let names = unsafe { elements(names, count, "names") }?;
        // SAFETY: as this function's caller promises.
        let values = unsafe { elements(values, count, "values") }?;
        let mut variables = Vec::with_capacity(count);
        for (name, value) in names.iter().zip(values) {
            // SAFETY: as this function's caller promises.
            let name = unsafe { text(*name, "names") }?.ok_or_else(|| pointers::null("a name"))?;
            // SAFETY: as this function's caller promises.
            let value = unsafe { text(*value, "values") }?.ok_or_else(|| pointers::null("a value"))?;
            variables.push((name.to_owned(), value.to_owned()));
        }
        // SAFETY: as this function's caller promises.
        unsafe { give_text(out, &portalloc_core::environment::render(&variables, syntax)) }
    })
}

/// Frees a text of `portalloc_render`. NULL does nothing.
///
/// # Safety
/// `text` must be NULL or such a text that was not freed before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_text_free(text: *mut c_char) {
    // SAFETY: as this function's caller promises.
    unsafe { pointers::free_text(text) };
}
