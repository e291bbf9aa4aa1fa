//! Ending a wait early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::pointers;
use crate::results::{ResultNumber, call};

/// A switch that ends waits: give it to calls that wait, and turn it from another thread or a signal handler.
pub struct Cancel {
    pub(crate) cancelled: Arc<AtomicBool>,
}

/// Makes a switch, to be freed by `portalloc_cancel_free`. One may serve several calls, and stays turned.
///
/// # Safety
/// `out` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cancel_new(out: *mut *mut Cancel) -> ResultNumber {
    // SAFETY: as this function's caller promises.
    call(|| unsafe { pointers::give(out, Cancel { cancelled: Arc::default() }) })
}

/// Turns it: waits that were given it end with PORTALLOC_RESULT_TIMEOUT within a quarter of a second, and so do those that
/// begin later. Safe in a signal handler. NULL does nothing.
///
/// # Safety
/// `cancel` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cancel_now(cancel: *const Cancel) {
    // SAFETY: as this function's caller promises.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.cancelled.store(true, Ordering::Relaxed);
    }
}

/// Frees it. Waits that were given it go on. NULL does nothing.
///
/// # Safety
/// `cancel` must be NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_cancel_free(cancel: *mut Cancel) {
    // SAFETY: as this function's caller promises.
    unsafe { pointers::free(cancel) };
}
