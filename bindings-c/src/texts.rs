//! Texts that stand for themselves: IDs and rendered variables.

use std::ffi::c_char;

use portalloc_core::{IsolationId, environment, ffi};

use crate::pointers::{self, needed, string, text, texts, write};
use crate::results::{ResultNumber, call};

/// Checks that a text is an isolation ID, 12 lower-case hexadecimal digits; fails with PORTALLOC_RESULT_INVALID_ID if not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_check_id(id: *const c_char) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { needed(id, "id") }?.parse::<IsolationId>().map(|_| ()))
}

/// Writes `count` variables, one per line and quoted as needed, in the syntax "shell" (safe to eval), "fish", "powershell",
/// "dotenv" or "github"; NULL means "shell". Free `out` with portalloc_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_render(
    names: *const *const c_char,
    values: *const *const c_char,
    count: usize,
    syntax: *const c_char,
    out: *mut *mut c_char,
) -> ResultNumber {
    let render = || {
        // SAFETY: the caller keeps to the header's conventions.
        let syntax = ffi::syntax(unsafe { text(syntax, "syntax") }?.unwrap_or("shell"))?;
        // SAFETY: the caller keeps to the header's conventions.
        let names = unsafe { texts(names, count, "names") }?;
        // SAFETY: the caller keeps to the header's conventions.
        let values = unsafe { texts(values, count, "values") }?;
        let variables: Vec<_> = names.into_iter().zip(values).collect();
        Ok(string(&environment::render(&variables, syntax)))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, render) })
}

/// Frees a string that the library returned through an out-parameter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_string_free(string: *mut c_char) {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { pointers::free_string(string) };
}
