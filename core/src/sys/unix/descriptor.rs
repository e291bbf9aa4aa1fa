//! Descriptors that stay open between calls, in a process whose program may close any of them: a daemon closes all
//! descriptors that it does not know, and its next file gets one of their numbers. So a descriptor is checked before it
//! is used or closed, and one that is no longer ours is left alone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use rustix::io::fcntl_dupfd_cloexec;
use socket2::{Domain, Protocol, Socket, Type};

use super::entries::entry_of;
use crate::sys::entry::FileId;
use crate::sys::inheritable::Inheritable;
use crate::sys::platform;

/// Lower numbers are standard input, output and error, and are never used here, even if the program has closed them:
/// its writes to standard error must not end up in a file of the registry.
const FIRST: i32 = 3;

/// Long-lived descriptors start here, because programs close and reuse low numbers, and some have them hard-coded.
const FIRST_LONG_LIVED: i32 = 64;

/// Moves a descriptor away from the numbers of standard input, output and error.
pub(crate) fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() >= FIRST { Ok(fd) } else { Ok(fcntl_dupfd_cloexec(&fd, FIRST)?) }
}

/// Creates a socket, closed on exec, that is never standard input, output or error.
pub(crate) fn socket(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    above_standard(Socket::new(domain, kind, protocol)?.into()).map(Socket::from)
}

/// As [`above_standard`], for a long-lived descriptor: 64 or above, if the limit allows.
pub(crate) fn out_of_the_way(fd: OwnedFd) -> io::Result<OwnedFd> {
    fcntl_dupfd_cloexec(&fd, FIRST_LONG_LIVED).or_else(|_| above_standard(fd))
}

/// A copy of an open file for other processes: it has the same locks, and is closed on exec unless [`let_inherit`]
/// changes that.
pub(crate) fn share(file: &File) -> io::Result<Inheritable> {
    above_standard(file.try_clone()?.into()).map(Inheritable::from)
}

/// Makes programs that are started from now on inherit it.
pub(crate) fn let_inherit(shared: &Inheritable) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(shared, rustix::io::FdFlags::empty())?)
}

/// How a descriptor is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// A file position that no one else sets. It belongs to the open file description, so it distinguishes two
    /// descriptions of one file, and all copies of a description share it.
    Position(u64),
    /// The kernel's number for a socket.
    Cookie(u64),
    /// The identity of the file: enough for a directory, whose descriptions are interchangeable.
    File(FileId),
}

impl Mark {
    /// Whether `fd` has this mark. At most one system call.
    fn is_on(self, fd: BorrowedFd<'_>) -> bool {
        match self {
            Self::Position(position) => rustix::fs::tell(fd).is_ok_and(|here| here == position),
            Self::Cookie(cookie) => platform::socket_number(fd).is_ok_and(|here| here == cookie),
            Self::File(id) => entry_of(&fd).is_ok_and(|here| here.id == id),
        }
    }
}

/// An open descriptor that is closed only if its number still stands for it.
#[derive(Debug)]
pub(crate) struct Marked<T: AsFd + IntoRawFd> {
    /// `None` only once it is dropped.
    open: Option<T>,
    mark: Mark,
}

impl Marked<File> {
    /// Marks a file by its position, which should be a random one beyond the end of the file, and must not be used
    /// otherwise. 0, where each file is at first, is for one that is closed before the program can get at it.
    pub(crate) fn by_position(file: File, position: u64) -> io::Result<Self> {
        if position > 0 {
            rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(position))?;
        }
        Ok(Self { open: Some(file), mark: Mark::Position(position) })
    }
}

impl Marked<Socket> {
    /// Marks a socket.
    pub(crate) fn by_cookie(socket: Socket) -> io::Result<Self> {
        let cookie = platform::socket_number(socket.as_fd())?;
        Ok(Self { open: Some(socket), mark: Mark::Cookie(cookie) })
    }

    /// The kernel's number for the socket.
    pub(crate) fn cookie(&self) -> u64 {
        if let Mark::Cookie(cookie) = self.mark { cookie } else { 0 }
    }
}

impl<T: AsFd + IntoRawFd> Marked<T> {
    /// Marks a directory, whose identity the caller has just read.
    pub(crate) fn by_inode(open: T, id: FileId) -> Self {
        Self { open: Some(open), mark: Mark::File(id) }
    }

    /// Whether this is the identity by which it was marked.
    pub(crate) fn was(&self, id: FileId) -> bool {
        self.mark == Mark::File(id)
    }

    /// Whether its number still stands for it.
    pub(crate) fn is_ours(&self) -> bool {
        self.open.as_ref().is_some_and(|open| self.mark.is_on(open.as_fd()))
    }

    /// Takes the open value without a check. For the rest of a call that has checked it.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.open.take()
    }

    /// The open value, without a check. For the rest of a call that has checked it.
    pub(crate) fn open(&self) -> &T {
        let Some(open) = &self.open else { unreachable!("it is taken only where the rest is dropped") };
        open
    }
}

impl<T: AsFd + IntoRawFd> Drop for Marked<T> {
    fn drop(&mut self) {
        if self.open.is_some()
            && !self.is_ours()
            && let Some(open) = self.open.take()
        {
            // The number now stands for another file, or for none.
            let _ = open.into_raw_fd();
        }
    }
}
