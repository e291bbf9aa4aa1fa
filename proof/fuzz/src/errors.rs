//! What every error must be like, whatever led to it.

use portalloc::{Error, ErrorCode};

/// An error that says what happened and what to do, and is no defect of portalloc's own. It goes to terminals, so it must
/// not carry what would command one.
pub fn fair(error: &Error) {
    assert_ne!(error.code(), ErrorCode::Internal, "{error:?}");
    assert!(!error.message().is_empty() && !error.remedy().is_empty(), "{error:?}");
    let commands = |c: char| c.is_control() && c != '\n';
    assert!(!error.message().contains(commands) && !error.remedy().contains(commands), "{error:?}");
}

/// A fair error of this code.
pub fn refused(error: &Error, code: ErrorCode) {
    fair(error);
    assert_eq!(error.code(), code, "{error:?}");
}
