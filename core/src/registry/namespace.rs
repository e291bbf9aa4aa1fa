//! Which network namespace a registry is for: ports belong to those, and locks do not.

use super::header::Header;
use crate::error::{Error, Result};
use crate::sys::{self, BoundPort, words};

/// A network namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Namespace {
    /// By which it is known while it exists.
    pub(super) inode: u64,
    /// By which it is known for ever; none before Linux 5.14.
    pub(super) cookie: Option<u64>,
}

impl Namespace {
    /// That of the calling thread.
    pub(crate) fn current() -> Result<Self> {
        let inode = sys::network_namespace().map_err(|error| Error::os(words::NO_NETWORK_NAMESPACE, error))?;
        Ok(Self { inode, cookie: sys::cookie() })
    }

    /// Whether a file was made for another one, which had the same inode and is gone.
    pub(super) fn is_successor_of(self, header: &Header) -> bool {
        self.cookie.is_some_and(|own| header.namespace != 0 && header.namespace != own)
    }

    /// Whether the calling thread is in it. By a port that the thread has just bound, if there is one: that tells more cheaply
    /// than /proc, or than another socket.
    pub(crate) fn is_current(self, bound: Option<&BoundPort>) -> bool {
        let cookie = || bound.map_or_else(sys::cookie, sys::cookie_of);
        match self.cookie.and_then(|own| Some((own, cookie()?))) {
            Some((own, now)) => own == now,
            // Before Linux 5.14, or at the descriptor limit. What cannot be told at all is no sign that it is another one.
            None => !sys::network_namespace().is_ok_and(|inode| inode != self.inode),
        }
    }

    /// Whether both are one.
    pub(crate) fn is(self, other: Self) -> bool {
        self.inode == other.inode && self.cookie.zip(other.cookie).is_none_or(|(one, other)| one == other)
    }
}
