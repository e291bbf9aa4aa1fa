//! Ending a wait early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::pointers::{self, handle};
use crate::results::{ResultNumber, call};

/// Ends waits early: pass it to calls that wait, and use it from another thread or a signal handler.
pub struct Cancel {
    pub(crate) cancelled: Arc<AtomicBool>,
}

/// Makes a portalloc_cancel, for any number of calls. Free it with portalloc_cancel_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cancel_new(out: *mut *mut Cancel) -> ResultNumber {
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { pointers::write(out, || Ok(handle(Cancel { cancelled: Arc::default() }))) })
}

/// Ends all waits that were given `cancel` with PORTALLOC_RESULT_TIMEOUT, within a quarter of a second, and every later one
/// at once. Async-signal-safe. Does nothing if `cancel` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cancel_now(cancel: *const Cancel) {
    // SAFETY: the caller keeps to the header's conventions.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.cancelled.store(true, Ordering::Relaxed);
    }
}

/// Frees it. Waits that were given it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cancel_free(cancel: *mut Cancel) {
    // SAFETY: the caller keeps to the header's conventions.
    unsafe { pointers::free(cancel) };
}
