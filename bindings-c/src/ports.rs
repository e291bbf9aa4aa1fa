//! Ports that are looked at, and environments that are removed from outside.

use std::ffi::c_char;

use portalloc_core::cleanup::{Cleanup, CleanupReport, Selection};
use portalloc_core::{Result, Settings};

use crate::options::{ALLOCATORS, to_port};
use crate::pointers::{needed, write, write_if_asked};
use crate::results::{ResultNumber, call};

/// Tells whether a lease of this port would succeed now: no lease has it, and no socket is bound to it, TCP or UDP, on any
/// address. That can change at any moment: to have a port, lease it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_is_free(port: i64, out: *mut bool) -> ResultNumber {
    let is_free = || {
        let port = to_port(port)?;
        ALLOCATORS.with(&Settings::new(), |allocator| allocator.is_free(port))
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, is_free) })
}

/// Removes the environment with this ID, kept or stale. Safe to call twice: `removed`, if it is not NULL, tells whether there
/// was one. Fails with PORTALLOC_RESULT_IN_USE if a live process holds it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cleanup(id: *const c_char, removed: *mut bool) -> ResultNumber {
    call(|| {
        // SAFETY: the caller keeps to the header's conventions.
        let id = unsafe { needed(id, "id") }?.parse()?;
        let report = cleanup(Selection::Id(id))?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(removed, || Ok(!report.removed.is_empty())) }
    })
}

/// Removes all stale environments of this user and what crashes have left, never a live one. `removed`, if it is not NULL,
/// tells how many environments. If one of them cannot be removed, the call fails after removing all others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cleanup_stale(removed: *mut usize) -> ResultNumber {
    call(|| {
        let report = cleanup(Selection::Stale)?;
        // SAFETY: the caller keeps to the header's conventions.
        unsafe { write_if_asked(removed, || Ok(report.removed.len())) }
    })
}

fn cleanup(selection: Selection) -> Result<CleanupReport> {
    let cleanup = Cleanup::new(selection);
    ALLOCATORS.with(&Settings::new(), |allocator| allocator.cleanup(&cleanup))?.strict()
}
