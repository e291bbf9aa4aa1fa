//! Servers and ports that are waited for.

use std::ffi::c_char;
use std::time::Duration;

use portalloc_core::ffi::ReadinessOptions;
use portalloc_core::{Allocator, Readiness, Result, Settings};

use crate::cancel::Cancel;
use crate::options::{ALLOCATORS, given, milliseconds, watched};
use crate::pointers::{elements, owned, sized};
use crate::results::{ResultNumber, call};

/// When a server counts as ready. Make it with portalloc_ready_options_default(), which means once it accepts a connection.
#[repr(C)]
pub struct ReadyOptions {
    /// sizeof(portalloc_ready_options).
    pub size: usize,
    /// Once it answers a GET of this path, such as "/health", with a status below 400.
    pub http: *const c_char,
    /// Only with this status, from 200 to 599. 0 means any below 400.
    pub status: i64,
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

/// As portalloc_wait_until_open, until the server on each of the ports is ready: until it accepts a connection, or with `http`
/// or `status` in `options` until it answers a GET as they say. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_wait_until_ready(
    ports: *const u16,
    count: usize,
    options: *const ReadyOptions,
    wait_ms: i64,
    cancel: *const Cancel,
) -> ResultNumber {
    let until_ready = |allocator: &Allocator, ports: &[u16], limit| {
        // SAFETY: the caller keeps to the header's conventions.
        let readiness = unsafe { asked(options) }?;
        allocator.wait_until_ready(ports, &readiness, limit)
    };
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { wait(ports, count, wait_ms, cancel, until_ready) }
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
    work: impl FnOnce(&Allocator, &[u16], Duration) -> Result<()>,
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

/// When a server counts as ready, by these options.
///
/// # Safety
/// `options` is NULL, or its members are as their comments say.
pub(crate) unsafe fn asked(options: *const ReadyOptions) -> Result<Readiness> {
    // SAFETY: as this function's caller promises; zeros are a NULL pointer and no wishes.
    let options = unsafe { sized(options) }?;
    // SAFETY: as this function's caller promises.
    let http = unsafe { owned(options.http, "http") }?;
    ReadinessOptions { http, status: given(options.status) }.readiness()
}
