//! The handler for warnings that the program has set.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Receives a warning: `code` is a stable word such as "pool", `message` says what happened and what to do, `data` is the
/// pointer that was set with the handler. The texts live until it returns. It must return: no longjmp, no exception.
pub type WarningHandler = Option<unsafe extern "C" fn(code: *const c_char, message: *const c_char, data: *mut c_void)>;

/// A handler that was set. None is freed, because another thread may be about to call it.
pub(crate) struct Handler {
    pub(crate) function: unsafe extern "C" fn(*const c_char, *const c_char, *mut c_void),
    pub(crate) data: *mut c_void,
    /// The next older one.
    older: *mut Handler,
}

/// The current handler; null for none. Not behind a lock, which a forked child could inherit locked.
static CURRENT: AtomicPtr<Handler> = AtomicPtr::new(ptr::null_mut());

/// The newest handler; the older ones hang from it.
static NEWEST: AtomicPtr<Handler> = AtomicPtr::new(ptr::null_mut());

/// The handler with this function and these data. One that was set before is used again, so that a program can change
/// handlers forever without using more memory.
fn known(function: unsafe extern "C" fn(*const c_char, *const c_char, *mut c_void), data: *mut c_void) -> *mut Handler {
    let mut newest = NEWEST.load(Ordering::Acquire);
    let mut next = newest;
    // SAFETY: null or published below, where a handler is complete; none is ever freed.
    while let Some(handler) = unsafe { next.as_ref() } {
        if ptr::fn_addr_eq(handler.function, function) && handler.data == data {
            return next;
        }
        next = handler.older;
    }
    loop {
        let new = Box::into_raw(Box::new(Handler { function, data, older: newest }));
        match NEWEST.compare_exchange(newest, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return new,
            Err(other) => {
                newest = other;
                // SAFETY: it was made just now, and was not published.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }
}

/// Makes `handler` the current one; `None` leaves none.
pub(crate) fn set(handler: WarningHandler, data: *mut c_void) {
    let handler = handler.map_or(ptr::null_mut(), |function| known(function, data));
    CURRENT.store(handler, Ordering::Release);
}

/// The current handler.
pub(crate) fn current() -> Option<&'static Handler> {
    // SAFETY: null or made by `known`, and never freed.
    unsafe { CURRENT.load(Ordering::Acquire).as_ref() }
}
