//! Errors as numbers, and what the last one of a thread was.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::ptr;

use portalloc_core::environment::Validation;
use portalloc_core::ffi::no_panic;
use portalloc_core::{Error, ErrorCode, Result};

use crate::warnings;

/// The result of a call. The numbers are never reused or changed; new ones may be added.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultNumber {
    /// Done.
    Ok = 0,
    /// An argument, a `PORTALLOC_*` variable or the project file is out of range or malformed.
    InvalidArgument = 1,
    /// The text is not an isolation ID (12 lower-case hexadecimal digits).
    InvalidId = 2,
    /// No free run of that size is left in the pool.
    PoolExhausted = 3,
    /// A specific port that was asked for is leased, or something is bound to it.
    PortInUse = 4,
    /// No environment with that ID, or no such process.
    NotFound = 5,
    /// The environment is held by a live process, so it cannot be cleaned up from outside.
    InUse = 6,
    /// The env file asked for exists and is not portalloc's to overwrite.
    EnvFileExists = 7,
    /// 999 isolation IDs in a row were taken: something is wrong with the random source or the registry.
    IdExhausted = 8,
    /// The registry folder is missing, replaced, damaged, full, or not trustworthy.
    RegistryUnusable = 9,
    /// The operating system refused for lack of rights.
    PermissionDenied = 10,
    /// The deadline passed, or the wait was cancelled.
    Timeout = 11,
    /// Not available on this platform or kernel, or to a forked child.
    Unsupported = 12,
    /// Any other failure of the operating system.
    Io = 13,
    /// A defect in portalloc itself, caught before it could end the program.
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

/// Does the work of an exported function: no panic gets past here, and no warning is left untold.
pub(crate) fn call(work: impl FnOnce() -> Result<()>) -> ResultNumber {
    let done = no_panic(work).map_or_else(|error| remember(&error), |()| ResultNumber::Ok);
    warnings::tell();
    done
}

/// The same for a function that gives a value; `otherwise` where there is none to be had.
pub(crate) fn value<T>(otherwise: T, work: impl FnOnce() -> Result<T>) -> T {
    let value = no_panic(work).unwrap_or_else(|error| {
        remember(&error);
        otherwise
    });
    warnings::tell();
    value
}

/// Calls the program in the middle of a call of its own: what that leaves behind as the last error is none of the program's
/// concern, which is about to ask for the error of the call around it.
pub(crate) fn aside(program: impl FnOnce()) {
    let last = LAST.try_with(RefCell::take).ok();
    program();
    if let Some(last) = last {
        let _ = LAST.try_with(|now| now.replace(last));
    }
}

/// What a validation found, for those who ask what happened.
pub(crate) fn tell(found: &Validation) {
    let failed =
        found.checks.iter().filter_map(|check| check.failure.as_ref().map(|why| format!("{}: {why}", check.name)));
    let message = failed.collect::<Vec<_>>().join("; ");
    keep((c_text(&message), CString::default()));
}

fn remember(error: &Error) -> ResultNumber {
    keep((c_text(error.message()), c_text(error.remedy())));
    let of = NUMBERS.iter().find(|(_, code, _)| *code == error.code());
    // A code that the core has and this does not is one that nobody added here; a test compares the two.
    of.map_or(ResultNumber::Internal, |(number, _, _)| *number)
}

/// Handlers of exit and destructors of C++'s global objects run when the thread's own variables are gone already: then
/// there is the number, and no message.
fn keep(told: (CString, CString)) {
    let _ = LAST.try_with(|last| last.replace(Some(told)));
}

fn kept(choose: impl FnOnce(&(CString, CString)) -> *const c_char) -> *const c_char {
    LAST.try_with(|last| last.borrow().as_ref().map_or(c"".as_ptr(), choose)).unwrap_or(c"".as_ptr())
}

/// A text for C, which would end at a zero byte.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// The stable code of a result, the same in every language: "pool_exhausted"; "ok" for 0, and NULL for a number that is
/// none of this library's. The text lives as long as the library.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_error_code(result: u32) -> *const c_char {
    if result == ResultNumber::Ok as u32 {
        return c"ok".as_ptr();
    }
    let of = NUMBERS.iter().find(|(number, _, _)| *number as u32 == result);
    of.map_or(ptr::null(), |(_, _, code)| code.as_ptr())
}

/// What happened when a call of this thread failed the last time, with the value in it; "" if none has. The text lives
/// until the next call of this thread that fails.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_last_error_message() -> *const c_char {
    kept(|(message, _)| message.as_ptr())
}

/// What to do next about the error of `portalloc_last_error_message()`. The text lives as long as that.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_last_error_remedy() -> *const c_char {
    kept(|(_, remedy)| remedy.as_ptr())
}
