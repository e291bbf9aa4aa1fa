//! What is asked about ports without leasing them.

use std::ffi::c_char;

use portalloc_core::Settings;
use portalloc_core::cleanup::{Cleanup, Selection};

use crate::cancel::Cancel;
use crate::options::{ALLOCATORS, time, watched};
use crate::pointers::{self, elements, text, write};
use crate::results::{ResultNumber, call};

/// Whether a lease of this port could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
/// address. What is free now may be taken a moment later: to have a port, lease it.
///
/// # Safety
/// `out` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_is_free(port: u16, out: *mut bool) -> ResultNumber {
    call(|| {
        let free = ALLOCATORS.with(&Settings::new(), |allocator| allocator.is_free(port))?;
        // SAFETY: as this function's caller promises.
        unsafe { write(out, free) }
    })
}

/// Blocks until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1, for at most `timeout_ms`
/// milliseconds (0 looks once, UINT64_MAX waits as long as it takes) or until `cancel`, if given, is turned.
///
/// Fails with PORTALLOC_RESULT_TIMEOUT; the message says of each port that is not there what was seen last.
///
/// # Safety
/// `ports` must have `count` elements, `cancel` be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_wait_for(
    ports: *const u16,
    count: usize,
    timeout_ms: u64,
    cancel: *const Cancel,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let ports = unsafe { elements(ports, count, "ports") }?;
        ALLOCATORS.with(&Settings::new(), |allocator| {
            // SAFETY: as this function's caller promises.
            unsafe { watched(allocator, cancel) }.wait_until_open(ports, time(timeout_ms))
        })
    })
}

/// Blocks until nothing is bound to any of the ports, TCP or UDP, TIME_WAIT included; leased or not. As for
/// portalloc_wait_for.
///
/// # Safety
/// As for portalloc_wait_for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_wait_free(
    ports: *const u16,
    count: usize,
    timeout_ms: u64,
    cancel: *const Cancel,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let ports = unsafe { elements(ports, count, "ports") }?;
        ALLOCATORS.with(&Settings::new(), |allocator| {
            // SAFETY: as this function's caller promises.
            unsafe { watched(allocator, cancel) }.wait_until_free(ports, time(timeout_ms))
        })
    })
}

/// Removes the environment with this ID, kept or stale. `removed`, if given, tells whether there was one: it may be called
/// again. Fails with PORTALLOC_RESULT_IN_USE if a live process holds it.
///
/// # Safety
/// `id` must be NULL or a text, `removed` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cleanup(id: *const c_char, removed: *mut bool) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let id = unsafe { text(id, "id") }?.ok_or_else(|| pointers::null("id"))?;
        let cleanup = Cleanup::new(Selection::Id(id.parse()?));
        let report = ALLOCATORS.with(&Settings::new(), |allocator| allocator.cleanup(&cleanup))?;
        if removed.is_null() {
            return Ok(());
        }
        // SAFETY: as this function's caller promises.
        unsafe { write(removed, !report.removed.is_empty()) }
    })
}

/// Removes what is over: stale environments of this user, and what crashes have left. `removed`, if given, tells how many
/// environments that were. Never touches a live one. If one cannot be removed it fails, after all others were.
///
/// # Safety
/// `removed` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cleanup_stale(removed: *mut usize) -> ResultNumber {
    call(|| {
        let cleanup = Cleanup::new(Selection::Stale);
        let report = ALLOCATORS.with(&Settings::new(), |allocator| allocator.cleanup(&cleanup))?;
        if let Some(skipped) = report.skipped.into_iter().next() {
            return Err(skipped.error);
        }
        if removed.is_null() {
            return Ok(());
        }
        // SAFETY: as this function's caller promises.
        unsafe { write(removed, report.removed.len()) }
    })
}

/// Checks record, temp dir, env file and lease of an environment of this user. `valid` tells whether every check passed; if
/// not, portalloc_last_error_message() says which did not, and why.
///
/// # Safety
/// `id` must be NULL or a text, `valid` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_validate(id: *const c_char, valid: *mut bool) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let id = unsafe { text(id, "id") }?.ok_or_else(|| pointers::null("id"))?;
        let id = id.parse()?;
        let found = ALLOCATORS.with(&Settings::new(), |allocator| allocator.validate(id))?;
        crate::results::tell(&found);
        // SAFETY: as this function's caller promises.
        unsafe { write(valid, found.is_valid()) }
    })
}
