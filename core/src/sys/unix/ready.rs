//! Waiting until a connection that was begun has an answer, or just for a while; and which errors of a connection are none.
//! Knows no addresses.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::Socket;

/// Blocks until one of `sockets` is connected or refused, or `limit` is over. Without sockets it is a pause.
///
/// An interrupted wait is over early; whoever waits looks and waits again.
pub(crate) fn wait_connected(sockets: &[&Socket], limit: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
    let mut watched: Vec<_> = sockets.iter().map(|socket| PollFd::new(*socket, PollFlags::OUT)).collect();
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether an error of a connection that is not waited for says that it was begun.
pub(crate) fn is_connecting(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error())
}

/// Whether the system has no such kind of address at all, such as a kernel without IPv6.
pub(crate) fn is_no_such_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}
