//! Waits until a started connection has an answer, or for a pause; and tells which errors mean that a connection was
//! started. Knows no addresses.

use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use socket2::Socket;

/// Blocks until one of `sockets` is connected or refused, or for `limit`. Without sockets, it just pauses.
///
/// An interrupted wait ends early; callers check and wait again.
pub(crate) fn wait_connected(sockets: &[&Socket], limit: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
    let mut watched: Vec<_> = sockets.iter().map(|socket| PollFd::new(*socket, PollFlags::OUT)).collect();
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the error of a non-blocking connect means that the connection was started.
pub(crate) fn is_connecting(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INPROGRESS.raw_os_error())
}

/// Whether the system does not support the address family at all, such as a kernel without IPv6.
pub(crate) fn is_no_such_family(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}
