//! Descriptors that stay open between calls, in a process that may do with its descriptors what it likes: a daemon closes
//! all it does not know, and its next file gets one of their numbers. So a descriptor is looked at before it is used or
//! closed, and one that is no longer ours is left alone.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};

use rustix::io::fcntl_dupfd_cloexec;
use socket2::{Domain, Protocol, Socket, Type};

use super::entries::entry_of;
use crate::sys::entry::FileId;
use crate::sys::inheritable::Inheritable;
use crate::sys::platform;

/// Below it are standard input, output and error, which are never ours, even where a program has closed them: what it
/// writes to its standard error must not end up in a file of the registry.
const FIRST: i32 = 3;

/// From here on lie those that stay open for long: programs close and reuse low numbers, and know them by heart.
const FIRST_LONG_LIVED: i32 = 64;

/// Moves a descriptor off the numbers of standard input, output and error.
pub(crate) fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() >= FIRST { Ok(fd) } else { Ok(fcntl_dupfd_cloexec(&fd, FIRST)?) }
}

/// Makes a socket, closed on exec, that is never standard input, output or error.
pub(crate) fn socket(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    above_standard(Socket::new(domain, kind, protocol)?.into()).map(Socket::from)
}

/// As [`above_standard`], for one that stays open for long: from 64 on, where the limit allows.
pub(crate) fn out_of_the_way(fd: OwnedFd) -> io::Result<OwnedFd> {
    fcntl_dupfd_cloexec(&fd, FIRST_LONG_LIVED).or_else(|_| above_standard(fd))
}

/// A copy of what is open, for other processes: with the same locks, and closed in them unless it is left open.
pub(crate) fn share(file: &File) -> io::Result<Inheritable> {
    above_standard(file.try_clone()?.into()).map(Inheritable::from)
}

/// Lets programs that are started from here on inherit it.
pub(crate) fn let_inherit(shared: &Inheritable) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(shared, rustix::io::FdFlags::empty())?)
}

/// By what a descriptor is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// A position that nothing but we sets. It belongs to the open file description, so it tells two descriptions of one
    /// file apart, and every copy of one has it.
    Position(u64),
    /// The kernel's number for a socket.
    Cookie(u64),
    /// Which file it is: enough for a folder, whose descriptions are all alike.
    File(FileId),
}

impl Mark {
    /// Whether `fd` bears it. At most one system call.
    fn is_on(self, fd: BorrowedFd<'_>) -> bool {
        match self {
            Self::Position(position) => rustix::fs::tell(fd).is_ok_and(|here| here == position),
            Self::Cookie(cookie) => platform::socket_number(fd).is_ok_and(|here| here == cookie),
            Self::File(id) => entry_of(&fd).is_ok_and(|here| here.id == id),
        }
    }
}

/// Something open that is closed only if it still is what it was.
#[derive(Debug)]
pub(crate) struct Marked<T: AsFd + IntoRawFd> {
    /// None only once it is dropped.
    open: Option<T>,
    mark: Mark,
}

impl Marked<File> {
    /// Marks a file by its position, which should be a random one, beyond the end of the file, and must not be used.
    pub(crate) fn by_position(file: File, position: u64) -> io::Result<Self> {
        rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(position))?;
        Ok(Self { open: Some(file), mark: Mark::Position(position) })
    }
}

impl Marked<Socket> {
    /// Marks a socket.
    pub(crate) fn by_cookie(socket: Socket) -> io::Result<Self> {
        let cookie = platform::socket_number(socket.as_fd())?;
        Ok(Self { open: Some(socket), mark: Mark::Cookie(cookie) })
    }

    /// The kernel's number for it.
    pub(crate) fn cookie(&self) -> u64 {
        if let Mark::Cookie(cookie) = self.mark { cookie } else { 0 }
    }
}

impl<T: AsFd + IntoRawFd> Marked<T> {
    /// Marks a folder.
    pub(crate) fn by_inode(open: T) -> io::Result<Self> {
        let mark = Mark::File(entry_of(&open)?.id);
        Ok(Self { open: Some(open), mark })
    }

    /// Whether its number still stands for it.
    pub(crate) fn is_ours(&self) -> bool {
        self.open.as_ref().is_some_and(|open| self.mark.is_on(open.as_fd()))
    }

    /// Takes what is open out, without a look. For the rest of a call that has looked.
    pub(crate) fn take(&mut self) -> Option<T> {
        self.open.take()
    }

    /// What is open, without a look. For the rest of a call that has looked.
    pub(crate) fn open(&self) -> &T {
        let Some(open) = &self.open else { unreachable!("it is taken only by whoever drops the rest") };
        open
    }
}

impl<T: AsFd + IntoRawFd> Drop for Marked<T> {
    fn drop(&mut self) {
        if self.open.is_some()
            && !self.is_ours()
            && let Some(open) = self.open.take()
        {
            // Its number is another's, or nobody's.
            let _ = open.into_raw_fd();
        }
    }
}
