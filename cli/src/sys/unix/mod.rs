//! Unix. Only [`signal_queue`] is for Linux alone. On another Unix it must be a descriptor that becomes readable when a
//! blocked signal is pending, and it must tell who sent the signal; kqueue provides the first, but not the second.
//!
//! Handlers (`signal-hook`) would be portable, but they lose two guarantees: a signal that `nohup` has ignored would no
//! longer be ignored, and one that arrives between fork and exec would be swallowed by the child's copy of the handler.

mod forwarder;
mod signal_queue;
mod terminal;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

pub(crate) use forwarder::Forwarder;
pub(crate) use terminal::Terminal;

pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
