//! Sockets as servers and thieves make them. Knows addresses and options, not leases.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// Every address, of both families.
pub(crate) const DUAL: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
pub(crate) const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const LOOPBACK_6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A socket that is bound; with `SO_REUSEADDR`, if `reuse`.
pub(crate) fn bound(kind: Type, address: IpAddr, port: u16, reuse: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address((address, port).into()), kind, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(address != DUAL)?;
    }
    if reuse {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&SocketAddr::from((address, port)).into())?;
    Ok(socket)
}

/// A server for TCP and one for UDP, on all addresses, of both families where the machine has both.
pub(crate) fn serve(port: u16) -> io::Result<[Socket; 2]> {
    let on = |address| -> io::Result<[Socket; 2]> {
        let server = bound(Type::STREAM, address, port, true)?;
        server.listen(8)?;
        Ok([server, bound(Type::DGRAM, address, port, false)?])
    };
    match on(DUAL) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => on(ANY),
        done => done,
    }
}

/// The port that a socket is bound to.
pub(crate) fn port(socket: &Socket) -> u16 {
    socket.local_addr().ok().and_then(|address| address.as_socket()).map_or(0, |address| address.port())
}
