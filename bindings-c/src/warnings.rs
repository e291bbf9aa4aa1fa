//! Warnings, delivered to the handler that the program has set.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use portalloc_core::ffi::no_panic;
use portalloc_core::process::take_warnings;

use crate::results::{aside, c_text, call};

/// Receives a warning: `code` is a stable word such as "pool", `message` says what happened and what to do, `data` is the
/// pointer that was set with the handler. The texts live until it returns. It must return: no longjmp, no exception.
pub type WarningHandler = Option<unsafe extern "C" fn(code: *const c_char, message: *const c_char, data: *mut c_void)>;

/// A handler that was set. None is freed, because another thread may be about to call it.
struct Handler {
    function: unsafe extern "C" fn(*const c_char, *const c_char, *mut c_void),
    data: *mut c_void,
    /// The next older one.
    older: *mut Handler,
}

/// The current handler; null for none. Not behind a lock, which a forked child could inherit locked.
static CURRENT: AtomicPtr<Handler> = AtomicPtr::new(ptr::null_mut());

/// The newest handler; the older ones hang from it.
static NEWEST: AtomicPtr<Handler> = AtomicPtr::new(ptr::null_mut());

/// Sets the handler for warnings: problems that made no call fail, such as a pool of which only a part can be used. It receives
/// each warning once per process, those from before at once. It replaces the previous handler; with NULL, warnings wait for the
/// next one. Without a handler, the library prints nothing.
///
/// A thread that calls the library calls the handler at the end of that call, so several threads may call it at once. It may
/// call the library, but not with handles that the call around it frees, and it does not change
/// portalloc_last_error_message(). Just after a change, another thread may still call the previous handler, so function and data
/// must stay valid as long as the process lives. A forked child keeps the handler, and may repeat its parent's warnings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_set_warning_handler(handler: WarningHandler, data: *mut c_void) {
    let _ = call(|| {
        let handler = handler.map_or(ptr::null_mut(), |function| known(function, data));
        CURRENT.store(handler, Ordering::Release);
        Ok(())
    });
}

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

/// Passes new warnings to the handler. Every call ends with it; without a handler it costs one load.
pub(crate) fn tell() {
    // SAFETY: null or made by `known`, and never freed.
    let Some(handler) = (unsafe { CURRENT.load(Ordering::Acquire).as_ref() }) else { return };
    for warning in no_panic(|| Ok(take_warnings())).unwrap_or_default() {
        let (code, message) = (c_text(warning.code), c_text(&warning.message));
        aside(|| {
            // SAFETY: the program that set it promised that any thread may call it so, at any time.
            unsafe { (handler.function)(code.as_ptr(), message.as_ptr(), handler.data) };
        });
    }
}
