//! What the kernel keeps of children that have ended.

use std::io;

/// From now on the exit status of a child is kept until somebody asks for it. Where SIGCHLD is ignored, which is
/// inherited, the kernel throws it away.
pub(crate) fn keep_exit_statuses() -> io::Result<()> {
    // SAFETY: a system call on two numbers; by default nothing happens on this signal, so no code of ours can be run.
    match unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
