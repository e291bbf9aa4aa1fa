//! Errors as numbers, and what the last one of a thread was.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::ptr;

use portalloc_core::ffi::no_panic;
use portalloc_core::process::take_warnings;
use portalloc_core::{Error, ErrorCode, Result};

use crate::handler;

/// The result of a call. Numbers are never changed or reused; new ones may be added.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultNumber {
    /// Success.
    Ok = 0,
    /// An argument, a `PORTALLOC_*` variable or the project file is out of range or malformed.
    InvalidArgument = 1,
    /// The text is not an isolation ID (12 lower-case hexadecimal digits).
    InvalidId = 2,
    /// The pool has no free ports of the kind asked for.
    PoolExhausted = 3,
    /// An exact port is leased, or a socket is bound to it.
    PortInUse = 4,
    /// There is no environment with that ID, or no such process.
    NotFound = 5,
    /// A live process holds the environment, so it cannot be cleaned up from outside.
    InUse = 6,
    /// The env file exists already, and portalloc did not write it.
    EnvFileExists = 7,
    /// 999 random isolation IDs in a row existed already: the random source or the registry is broken.
    IdExhausted = 8,
    /// The registry directory is missing, replaced, damaged, full, or not trustworthy.
    RegistryUnusable = 9,
    /// The operating system denied permission.
    PermissionDenied = 10,
    /// The time to wait is over, or the wait was cancelled.
    Timeout = 11,
    /// Not available on this platform or kernel, or in a forked child.
    Unsupported = 12,
    /// Another system call failed.
    Io = 13,
    /// A defect in portalloc, caught before it could end the program.
    Internal = 14,
}

/// Every result but success, with its code.
const NUMBERS: [(ResultNumber, ErrorCode, &std::ffi::CStr); 14] = [
    (ResultNumber::InvalidArgument, ErrorCode::InvalidArgument, c"invalid_argument"),
    (ResultNumber::InvalidId, ErrorCode::InvalidId, c"invalid_id"),
    (ResultNumber::PoolExhausted, ErrorCode::PoolExhausted, c"pool_exhausted"),
    (ResultNumber::PortInUse, ErrorCode::PortInUse, c"port_in_use"),
    (ResultNumber::NotFound, ErrorCode::NotFound, c"not_found"),
    (ResultNumber::InUse, ErrorCode::InUse, c"in_use"),
    (ResultNumber::EnvFileExists, ErrorCode::EnvFileExists, c"env_file_exists"),
    (ResultNumber::IdExhausted, ErrorCode::IdExhausted, c"id_exhausted"),
    (ResultNumber::RegistryUnusable, ErrorCode::RegistryUnusable, c"registry_unusable"),
    (ResultNumber::PermissionDenied, ErrorCode::PermissionDenied, c"permission_denied"),
    (ResultNumber::Timeout, ErrorCode::Timeout, c"timeout"),
    (ResultNumber::Unsupported, ErrorCode::Unsupported, c"unsupported"),
    (ResultNumber::Io, ErrorCode::Io, c"io"),
    (ResultNumber::Internal, ErrorCode::Internal, c"internal"),
];

thread_local! {
    /// Message and remedy.
    static LAST: RefCell<Option<(CString, CString)>> = const { RefCell::new(None) };
}

/// Does the work of an exported function: stops panics, and delivers warnings.
pub(crate) fn call(work: impl FnOnce() -> Result<()>) -> ResultNumber {
    let done = no_panic(work).map_or_else(|error| remember(&error), |()| ResultNumber::Ok);
    tell();
    done
}

/// The same for a function that gives a value; `otherwise` where there is none to be had.
pub(crate) fn value<T>(otherwise: T, work: impl FnOnce() -> Result<T>) -> T {
    let value = no_panic(work).unwrap_or_else(|error| {
        remember(&error);
        otherwise
    });
    tell();
    value
}

/// Passes new warnings to the handler. Every call ends with it; without a handler it costs one load.
fn tell() {
    let Some(handler) = handler::current() else { return };
    for warning in no_panic(|| Ok(take_warnings())).unwrap_or_default() {
        let (code, message) = (c_text(warning.code), c_text(&warning.message));
        aside(|| {
            // SAFETY: the program that set it promised that any thread may call it so, at any time.
            unsafe { (handler.function)(code.as_ptr(), message.as_ptr(), handler.data) };
        });
    }
}

/// Calls the program's handler, and then restores the last error: the program is about to ask for that of its own call, not of
/// calls that the handler made.
fn aside(program: impl FnOnce()) {
    let last = LAST.try_with(RefCell::take).ok();
    program();
    if let Some(last) = last {
        let _ = LAST.try_with(|now| now.replace(last));
    }
}

fn remember(error: &Error) -> ResultNumber {
    keep((c_text(error.message()), c_text(error.remedy())));
    let of = NUMBERS.iter().find(|(_, code, _)| *code == error.code());
    // A test compares the core's codes with these.
    of.map_or(ResultNumber::Internal, |(number, _, _)| *number)
}

/// Exit handlers and destructors of C++'s global objects run after the thread's variables are gone: they get the number, and
/// no message.
fn keep(told: (CString, CString)) {
    let _ = LAST.try_with(|last| last.replace(Some(told)));
}

fn kept(choose: impl FnOnce(&(CString, CString)) -> *const c_char) -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ref().map_or(c"".as_ptr(), choose)).unwrap_or(c"".as_ptr())
}

/// A text for C, where a zero byte would end it.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Returns the stable code of a result, the same in every language, such as "pool_exhausted"; "ok" for 0, and NULL for a number
/// that this library does not know. The text lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_error_code(result: u32) -> *const c_char {
    if result == ResultNumber::Ok as u32 {
        return c"ok".as_ptr();
    }
    let of = NUMBERS.iter().find(|(number, _, _)| *number as u32 == result);
    of.map_or(ptr::null(), |(_, _, code)| code.as_ptr())
}

/// Returns what went wrong in the last call of this thread that failed; "" if none has. The text lives until the next call of
/// this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_last_error_message() -> *const c_char {
    kept(|(message, _)| message.as_ptr())
}

/// Returns what to do about the error of portalloc_last_error_message(). The text lives as long as that one.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_last_error_remedy() -> *const c_char {
    kept(|(_, remedy)| remedy.as_ptr())
}
