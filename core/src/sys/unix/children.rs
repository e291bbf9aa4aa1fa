//! What the kernel keeps of children that have ended.

use std::io;

/// Makes the kernel keep the exit status of a child until it is read. If SIGCHLD is ignored, which programs inherit,
/// the kernel discards it.
pub(crate) fn keep_exit_statuses() -> io::Result<()> {
    // SAFETY: a system call on two numbers; by default nothing happens on this signal, so no code of ours can be run.
    match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
