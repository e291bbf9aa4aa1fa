//! What a system tells of the sockets on ports, and of who has them open.

use std::net::SocketAddr;

use crate::time::Timestamp;

/// A socket on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortSocket {
    /// `tcp` or `udp`.
    pub(crate) protocol: &'static str,
    pub(crate) local: SocketAddr,
    /// None if it is not connected.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) state: &'static str,
    /// Who made it. Means nothing without an inode.
    pub(crate) user: u32,
    /// By which processes have it open; 0 if none can, because its process closed it.
    pub(crate) inode: u64,
}

/// What the kernel tells of some ports.
pub(crate) struct PortSockets {
    pub(crate) sockets: Vec<PortSocket>,
    /// Whether TCP sockets that are bound and neither listen nor are connected are among them.
    pub(crate) with_bound: bool,
}

/// A process that has a socket open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketHolder {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// Its arguments, separated by spaces; empty if they cannot be read.
    pub(crate) command: String,
    pub(crate) user: u32,
    pub(crate) started_at: Timestamp,
}
