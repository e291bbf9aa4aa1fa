//! Binds a port such that any other socket on it, on any address, causes an error.
//!
//! One bind to `[::]` for both families, without reuse and without listening, conflicts with every holder: on any
//! address, listening or not, connected, or in TIME_WAIT.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::sys::unix::descriptor::socket;
use crate::sys::unix::ready::is_no_such_family;

/// A port of one protocol, bound on every address. While it is open, no other program can bind the port.
#[derive(Debug)]
pub(crate) struct BoundPort(Socket);

impl BoundPort {
    /// `over_resting`: bind with reuse, which ignores connections in TIME_WAIT, but misses many other holders.
    pub(crate) fn new(port: u16, kind: Type, over_resting: bool) -> io::Result<Self> {
        let (socket, address) = match socket(Domain::IPV6, kind, None) {
            Ok(socket) => {
                socket.set_only_v6(false)?;
                (socket, SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
            }
            // A kernel without IPv6: then only IPv4 can be bound.
            Err(error) if is_no_such_family(&error) => {
                (socket(Domain::IPV4, kind, None)?, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
            }
            Err(error) => return Err(error),
        };
        if over_resting {
            socket.set_reuse_address(true)?;
        }
        socket.bind(&address.into())?;
        Ok(Self(socket))
    }

    /// Switches reuse off, so that from now on every other bind fails.
    pub(crate) fn shut(&self) -> io::Result<()> {
        self.0.set_reuse_address(false)
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.0
    }

    pub(super) fn into_socket(self) -> Socket {
        self.0
    }
}

/// Whether a bind failed because the port is in use.
pub(crate) fn is_port_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

/// Whether a bind failed because this user may not bind the port.
pub(crate) fn is_port_forbidden(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
