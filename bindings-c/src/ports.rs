//! Ports that are waited for, and environments that are removed from outside.

use std::ffi::c_char;
use std::time::Duration;

use portalloc_core::cleanup::{Cleanup, CleanupReport, Selection};
use portalloc_core::{Allocator, Result, Settings};

use crate::cancel::Cancel;
use crate::options::{ALLOCATORS, milliseconds, to_port, watched};
use crate::pointers::{elements, needed, write, write_if_asked};
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

/// Blocks until a server accepts connections on each of the ports, on 127.0.0.1 or ::1, for at most `wait_ms` milliseconds (0
/// checks once, PORTALLOC_FOREVER waits without limit), or until `cancel`, if it is not NULL, is used.
///
/// Fails with PORTALLOC_RESULT_TIMEOUT; the message says for each missing port what the last check found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_wait_until_open(
    ports: *const u16,
    count: usize,
    wait_ms: i64,
    cancel: *const Cancel,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { wait(ports, count, wait_ms, cancel, Allocator::wait_until_open) }
}

/// Blocks until no socket is bound to any of the ports, TCP or UDP, TIME_WAIT included, whether or not they are leased. The
/// arguments are those of portalloc_wait_until_open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_wait_until_free(
    ports: *const u16,
    count: usize,
    wait_ms: i64,
    cancel: *const Cancel,
) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { wait(ports, count, wait_ms, cancel, Allocator::wait_until_free) }
}

/// # Safety
/// As for portalloc_wait_until_open.
unsafe fn wait(
    ports: *const u16,
    count: usize,
    wait_ms: i64,
    cancel: *const Cancel,
    work: fn(&Allocator, &[u16], Duration) -> Result<()>,
) -> ResultNumber {
    call(|| {
        // SAFETY: as this function's caller promises.
        let ports = unsafe { elements(ports, count, "ports") }?;
        let limit = milliseconds(wait_ms)?;
        ALLOCATORS.with(&Settings::new(), |allocator| {
            // SAFETY: as this function's caller promises.
            work(&unsafe { watched(allocator, cancel) }, ports, limit)
        })
    })
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
