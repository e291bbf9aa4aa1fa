//! The system's view of the sockets on ports, and of the processes that have them open.

use std::net::SocketAddr;

use crate::time::Timestamp;

/// A socket on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortSocket {
    /// `tcp` or `udp`.
    pub(crate) protocol: &'static str,
    pub(crate) local: SocketAddr,
    /// `None` if it is not connected.
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) state: &'static str,
    /// Who created it. Meaningless without an inode.
    pub(crate) user: u32,
    /// Identifies it in the descriptors of processes; 0 if no process has it open any more.
    pub(crate) inode: u64,
}

/// The kernel's view of some ports.
pub(crate) struct PortSockets {
    pub(crate) sockets: Vec<PortSocket>,
    /// Whether it includes TCP sockets that are bound but neither listen nor are connected.
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
