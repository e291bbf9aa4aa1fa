//! Is anything on this port? Knows sockets, not leases. Call it only under the port's lock: a probe that meets a
//! server's own bind makes that bind fail.
//!
//! One bind to `[::]` for both families, without reuse and without listening, meets every holder: on any address,
//! listening or not, connected, or in TIME_WAIT. One for TCP and one for UDP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

use crate::sys;

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occupancy {
    Free,
    Tcp,
    Udp,
    /// This user may not bind it.
    Denied,
}

/// The two sockets of a probe that found nothing: as long as they are open, nobody else can bind the port.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) port: u16,
    pub(crate) tcp: Socket,
    pub(crate) udp: Socket,
}

/// Probes `port` for TCP and then for UDP. The sockets are closed again.
pub(crate) fn probe(port: u16) -> io::Result<Occupancy> {
    Ok(bind(port)?.err().unwrap_or(Occupancy::Free))
}

/// Probes `port` and keeps the sockets; or what is there.
pub(crate) fn bind(port: u16) -> io::Result<Result<Pair, Occupancy>> {
    pair(port, bind_one(port, Type::STREAM))
}

/// As `bind`, but over connections in TIME_WAIT: the sockets are bound with reuse, which is then switched off again.
/// Only where it is known that there is nothing else, since reuse overlooks much.
pub(crate) fn bind_resting(port: u16) -> io::Result<Result<Pair, Occupancy>> {
    let bound = pair(port, bind_with(port, Type::STREAM, |socket| socket.set_reuse_address(true)))?;
    if let Ok(pair) = &bound {
        pair.tcp.set_reuse_address(false)?;
    }
    Ok(bound)
}

/// The probe for UDP, beside that for TCP.
fn pair(port: u16, tcp: io::Result<Socket>) -> io::Result<Result<Pair, Occupancy>> {
    let tcp = match tcp {
        Ok(tcp) => tcp,
        Err(error) => return busy(error, Occupancy::Tcp).map(Err),
    };
    match bind_one(port, Type::DGRAM) {
        Ok(udp) => Ok(Ok(Pair { port, tcp, udp })),
        Err(error) => busy(error, Occupancy::Udp).map(Err),
    }
}

/// Whether certainly nothing listens on `port`, which the caller has leased. Reuse is on for TCP, so that neither connections
/// in TIME_WAIT look like a server, nor is a server kept off that binds at the same instant and sets it as well.
pub(crate) fn is_quiet(port: u16) -> bool {
    port != 0
        && bind_with(port, Type::STREAM, |socket| socket.set_reuse_address(true)).is_ok()
        && bind_one(port, Type::DGRAM).is_ok()
}

fn busy(error: io::Error, occupancy: Occupancy) -> io::Result<Occupancy> {
    match error.kind() {
        io::ErrorKind::AddrInUse => Ok(occupancy),
        io::ErrorKind::PermissionDenied => Ok(Occupancy::Denied),
        _ => Err(error),
    }
}

/// Binds one socket to the port on every address, without reuse and without listening.
pub(crate) fn bind_one(port: u16, kind: Type) -> io::Result<Socket> {
    bind_with(port, kind, |_| Ok(()))
}

fn bind_with(port: u16, kind: Type, prepare: impl FnOnce(&Socket) -> io::Result<()>) -> io::Result<Socket> {
    let (socket, address) = match sys::socket(Domain::IPV6, kind, None) {
        Ok(socket) => {
            socket.set_only_v6(false)?;
            (socket, SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))
        }
        // A kernel without IPv6: then IPv4 is all there is to hold.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => {
            (sys::socket(Domain::IPV4, kind, None)?, SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
        }
        Err(error) => return Err(error),
    };
    prepare(&socket)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
