//! The network namespace that a registry is for: ports belong to a network namespace, and locks do not.

use super::header::Header;
use crate::error::{Error, Result};
use crate::sys::{self, BoundPort, words};

/// A network namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Namespace {
    /// Identifies it while it exists.
    pub(super) inode: u64,
    /// Identifies it for ever; `None` before Linux 5.14.
    pub(super) cookie: Option<u64>,
}

impl Namespace {
    /// The network namespace of the calling thread.
    pub(crate) fn current() -> Result<Self> {
        let inode = sys::network_namespace().map_err(|error| Error::os(words::NO_NETWORK_NAMESPACE, error))?;
        Ok(Self { inode, cookie: sys::cookie() })
    }

    /// Whether a file was made for an earlier namespace, which had the same inode.
    pub(super) fn is_successor_of(self, header: &Header) -> bool {
        self.cookie.is_some_and(|own| header.namespace != 0 && header.namespace != own)
    }

    /// Whether the calling thread is in this namespace. Uses a port that the thread has just bound, if there is one,
    /// since that is cheaper than reading /proc or opening another socket.
    pub(crate) fn is_current(self, bound: Option<&BoundPort>) -> bool {
        let cookie = || bound.map_or_else(sys::cookie, sys::cookie_of);
        match self.cookie.and_then(|own| Some((own, cookie()?))) {
            Some((own, now)) => own == now,
            // Before Linux 5.14, or at the descriptor limit. If the namespace cannot be determined, it is assumed to be
            // the same.
            None => !sys::network_namespace().is_ok_and(|inode| inode != self.inode),
        }
    }

    /// The number that identifies it for ever, if the kernel has one.
    pub(crate) fn number(self) -> Option<u64> {
        self.cookie
    }

    /// Whether both are the same namespace.
    pub(crate) fn is(self, other: Self) -> bool {
        self.inode == other.inode && self.cookie.zip(other.cookie).is_none_or(|(one, other)| one == other)
    }
}
