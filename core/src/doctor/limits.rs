//! Limits that bite.

use super::report::Check;
use crate::registry::PORTS_FILE_SIZE;
use crate::sys::{self, doctor_words as words};

/// A call of portalloc needs some descriptors beside those that leases and guards keep.
const LEAST: u64 = 32;

/// What most systems allow at least.
const USUAL: u64 = 256;

/// How many descriptors this process may have open.
pub(super) fn descriptors() -> Check {
    const CODE: &str = "descriptors";
    let Some(limit) = sys::descriptor_limit() else { return Check::ok(CODE, "no limit on open descriptors") };
    let message = format!(
        "this process may have {limit} descriptors open: a lease takes one, a guard two for each port, and a call a few"
    );
    let check = match limit {
        0..LEAST => Check::broken(CODE, message, words::RAISE_DESCRIPTORS),
        LEAST..USUAL => Check::note(CODE, message).remedy(words::RAISE_DESCRIPTORS),
        _ => Check::ok(CODE, message),
    };
    check.fact("limit", limit)
}

/// How large a file this process may write. The system ends a process that exceeds the limit, without a word.
pub(super) fn file_size() -> Check {
    const CODE: &str = "file_size";
    match sys::file_size_limit().filter(|limit| *limit < PORTS_FILE_SIZE) {
        None => Check::ok(CODE, "this process may write files of the size that the registry needs"),
        Some(limit) => Check::broken(
            CODE,
            format!("this process may write files of {limit} bytes, and the registry has one of {PORTS_FILE_SIZE}"),
            words::RAISE_FILE_SIZE,
        )
        .fact("limit", limit),
    }
}

/// Whether a process that waits for ports is told when they come free.
pub(super) fn watch() -> Check {
    const CODE: &str = "watch";
    if sys::can_watch() {
        return Check::ok(CODE, "a process that waits for ports is told when a lease ends");
    }
    Check::note(CODE, words::NO_WATCH).remedy(words::MORE_WATCHES)
}
