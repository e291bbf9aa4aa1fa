//! Is anything on this port? Knows sockets, not leases. Call it only under the port's lock: a probe that meets a
//! server's own bind makes that bind fail.
//!
//! One bind to `[::]` for both families, without reuse and without listening, meets every holder: on any address,
//! listening or not, connected, or in TIME_WAIT. One for TCP and one for UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occupancy {
    Free,
    Tcp,
    Udp,
    /// This user may not bind it.
    Denied,
}

/// Probes `port` for TCP and then for UDP.
pub(crate) fn probe(port: u16) -> io::Result<Occupancy> {
    for (kind, busy) in [(Type::STREAM, Occupancy::Tcp), (Type::DGRAM, Occupancy::Udp)] {
        match bind(port, kind) {
            Ok(()) => {}
            Err(error) => match error.kind() {
                io::ErrorKind::AddrInUse => return Ok(busy),
                io::ErrorKind::PermissionDenied => return Ok(Occupancy::Denied),
                _ => return Err(error),
            },
        }
    }
    Ok(Occupancy::Free)
}

fn bind(port: u16, kind: Type) -> io::Result<()> {
    let socket = match Socket::new(Domain::IPV6, kind, None) {
        Ok(socket) => socket,
        // A kernel without IPv6: then IPv4 is all there is to hold.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => {
            return Socket::new(Domain::IPV4, kind, None)?
                .bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into());
        }
        Err(error) => return Err(error),
    };
    socket.set_only_v6(false)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())
}
