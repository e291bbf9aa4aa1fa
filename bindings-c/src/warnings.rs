//! What the user should know though nothing failed: told to the handler that the program has set.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use portalloc_core::ffi::no_panic;
use portalloc_core::process::take_warnings;

use crate::results::{aside, c_text, call};

/// What is called with a warning: `code` is a stable word such as "pool", `message` says what happened and what to do, `data`
/// is what was given with the handler. The texts live until it returns. It must return: no longjmp, no exception.
pub type WarningHandler = Option<unsafe extern "C" fn(code: *const c_char, message: *const c_char, data: *mut c_void)>;

/// A handler that was set. None is ever freed: another thread may be about to call it.
struct Handler {
    function: unsafe extern "C" fn(*const c_char, *const c_char, *mut c_void),
    data: *mut c_void,
    /// The one that was set for the first time before this one.
    older: *mut Handler,
}

/// The handler in force; null for none. No lock, because a forked child could inherit it locked.
static CURRENT: AtomicPtr<Handler> = AtomicPtr::new(ptr::null_mut());

/// The newest of all that were ever set.
static NEWEST: AtomicPtr<Handler> = AtomicPtr::new(ptr::null_mut());

/// Has `handler` called with every warning, each once in a process: what the user should know though no call failed, such
/// as a pool that was asked for and is used in part only. It replaces the handler before it; NULL switches warnings off,
/// which then wait for the next handler. Warnings that came up before are told at once. Without a handler nothing is told.
///
/// The handler is called at the end of a call of this library, by the thread that made that call; so several threads may
/// call it at once. It may call the library, except for handles that the interrupted call frees, and it does not change
/// portalloc_last_error_message(). Just after a change, another thread may still call the handler before. A forked child
/// keeps the handler, and may be told again what its parent was told.
///
/// # Safety
/// `handler` must be NULL or a function that may be called with `data` by any thread, as long as the process lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_set_warning_handler(handler: WarningHandler, data: *mut c_void) {
    let _ = call(|| {
        let handler = handler.map_or(ptr::null_mut(), |function| known(function, data));
        CURRENT.store(handler, Ordering::Release);
        Ok(())
    });
}

/// The handler with this function and these data: the one from before if it was set before, so that changing to and fro
/// takes no more and more memory.
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

/// Tells the handler what has come up. Every call ends with it; without a handler it costs one load.
pub(crate) fn tell() {
    // SAFETY: null or made by `known`, and never freed.
    let Some(handler) = (unsafe { CURRENT.load(Ordering::Acquire).as_ref() }) else { return };
    for warning in no_panic(|| Ok(take_warnings())).unwrap_or_default() {
        let (code, message) = (c_text(warning.code), c_text(&warning.message));
        aside(|| {
            // SAFETY: whoever set it promised that any thread may call it so, at any time.
            unsafe { (handler.function)(code.as_ptr(), message.as_ptr(), handler.data) };
        });
    }
}
