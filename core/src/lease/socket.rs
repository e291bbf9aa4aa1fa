//! Handing the server the bound socket itself, so that nobody binds the port before it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use super::Lease;
use super::guard::in_use;
use crate::error::{Error, Result};
use crate::refusals;
use crate::sys::{self, ServerSocket, words};

/// How many connections may wait to be accepted, as most servers have it; the kernel caps it (`somaxconn`).
const BACKLOG: i32 = 1024;

/// A socket to hand to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct SocketOptions {
    udp: bool,
    address: IpAddr,
    listen: bool,
}

impl SocketOptions {
    /// A TCP socket that listens on 127.0.0.1.
    pub fn tcp() -> Self {
        Self { udp: false, address: IpAddr::V4(Ipv4Addr::LOCALHOST), listen: true }
    }

    /// A UDP socket bound to 127.0.0.1.
    pub fn udp() -> Self {
        Self { udp: true, address: IpAddr::V4(Ipv4Addr::LOCALHOST), listen: false }
    }

    /// Bound to this address instead. `::` is every address of both families.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Whether a TCP socket listens already; the server's own `listen` call may follow in any case. Until it listens, a
    /// program that names the port and sets `SO_REUSEADDR` can listen on it first.
    pub fn listen(mut self, listen: bool) -> Self {
        self.listen = listen;
        self
    }
}

impl Lease {
    /// A socket bound to the port at `index` of the lease, closed on exec; for TCP with `SO_REUSEADDR` set.
    ///
    /// Over a guard of this lease nobody gets in before a TCP socket but a program that names the port, sets `SO_REUSEADDR`
    /// and listens in the very microseconds of the bind: then it is `port_in_use`, and nothing is shared. The guard of that
    /// port stays open for reuse from then on. A guard for UDP is closed before the socket is bound, so a stranger may still
    /// be first: `port_in_use`.
    ///
    /// # Errors
    /// `invalid_argument` for an index that is none, an address of another machine, or a lease that was released;
    /// `port_in_use` if a stranger was there first; `io`.
    pub fn socket(&self, index: usize, hand_off: &SocketOptions) -> Result<ServerSocket> {
        let _held = self.check_held()?;
        let Some(port) = self.ports.get(index).copied() else {
            return Err(refusals::no_index(index, self.ports.len()));
        };
        let kind = if hand_off.udp { Type::DGRAM } else { Type::STREAM };
        let address = SocketAddr::new(hand_off.address, port);
        self.over_guard(port, kind, || {
            bind(address, kind, hand_off).map(ServerSocket::new).map_err(|error| match error.kind() {
                std::io::ErrorKind::AddrNotAvailable => Error::invalid_argument(
                    format!("{} is not an address of this machine", hand_off.address),
                    words::NAME_ADDRESS,
                ),
                _ => in_use(port, error),
            })
        })
    }

    /// TCP listeners on the port at `index`, on 127.0.0.1 and, where the machine has it, on ::1.
    ///
    /// # Errors
    /// As [`socket`](Self::socket).
    pub fn listeners(&self, index: usize) -> Result<Vec<TcpListener>> {
        let mut listeners = vec![TcpListener::from(self.socket(index, &SocketOptions::tcp())?)];
        match self.socket(index, &SocketOptions::tcp().address(IpAddr::V6(Ipv6Addr::LOCALHOST))) {
            Ok(socket) => listeners.push(TcpListener::from(socket)),
            Err(_) if !has_ipv6_loopback() => {}
            Err(error) => return Err(error),
        }
        Ok(listeners)
    }
}

fn has_ipv6_loopback() -> bool {
    std::net::UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn bind(address: SocketAddr, kind: Type, hand_off: &SocketOptions) -> std::io::Result<Socket> {
    let socket = sys::socket(Domain::for_address(address), kind, None)?;
    if !hand_off.udp {
        // Else a restart of the server would meet the TIME_WAIT of its own connections. For UDP it would only let
        // strangers in.
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
    }
    socket.bind(&address.into())?;
    if hand_off.listen && !hand_off.udp {
        socket.listen(BACKLOG)?;
    }
    Ok(socket)
}
