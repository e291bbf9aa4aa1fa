//! Socket options that are a 64-bit number.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The kernel's unique number for a socket (`SO_COOKIE`).
pub(crate) fn socket_number(socket: BorrowedFd<'_>) -> io::Result<u64> {
    number_of(socket.as_raw_fd(), libc::SO_COOKIE)
}

/// A single system call, because a handler in a forked child makes it, too.
pub(super) fn number_of(fd: i32, option: i32) -> io::Result<u64> {
    let mut number = 0u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    let (to, room) = ((&raw mut number).cast(), &raw mut length);
    // SAFETY: it writes at most `length` bytes to a number of that size, and the length that it wrote.
    match unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, to, room) } {
        0 => Ok(number),
        _ => Err(io::Error::last_os_error()),
    }
}
