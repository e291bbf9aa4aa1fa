//! Waiting until a connection that was begun has an answer, or just for a while. Knows no addresses.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Blocks until one of `sockets` is connected or refused, or `limit` is over. Without sockets it is a pause.
///
/// An interrupted wait is over early; whoever waits looks and waits again.
pub(crate) fn wait_connected(sockets: &[BorrowedFd<'_>], limit: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
    let mut watched: Vec<_> = sockets.iter().map(|socket| PollFd::new(socket, PollFlags::OUT)).collect();
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
