//! Binding a port so that whoever else is on it, anywhere, is in the way.
//!
//! One bind to `[::]` for both families, without reuse and without listening, meets every holder: on any address,
//! listening or not, connected, or in TIME_WAIT.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::sys::unix::descriptor::socket;
use crate::sys::unix::ready::is_no_such_family;

/// A port of one protocol, bound on every address: as long as it is open, nobody else can bind it.
#[derive(Debug)]
pub(crate) struct BoundPort(Socket);

impl BoundPort {
    /// `over_resting`: with reuse, which overlooks connections in TIME_WAIT, and much else.
    pub(crate) fn new(port: u16, kind: Type, over_resting: bool) -> io::Result<Self> {
        let (socket, address) = match socket(Domain::IPV6, kind, None) {
            Ok(socket) => {
                socket.set_only_v6(false)?;
                (socket, SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
            }
            // A kernel without IPv6: then IPv4 is all there is to hold.
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

    /// From now on it keeps everybody off, as one that was bound without reuse.
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

/// Whether a bind failed because somebody is on the port.
pub(crate) fn is_port_taken(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrInUse
}

/// Whether a bind failed because this user may not bind the port.
pub(crate) fn is_port_forbidden(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
