//! Socket activation: passes the bound socket itself to the server, so that no other program can bind the port first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

use super::Lease;
use super::guard::in_use;
use crate::error::{Error, Result};
use crate::refusals;
use crate::sys::{self, ServerSocket, words};

/// The backlog of connections, the same as in most servers; the kernel caps it (`somaxconn`).
const BACKLOG: i32 = 1024;

/// Options of a socket to pass to a server.
///
/// ```
/// use std::net::TcpListener;
/// use portalloc::SocketOptions;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let listener = TcpListener::from(lease.socket(0, &SocketOptions::tcp())?);
/// assert_eq!(listener.local_addr().unwrap().port(), lease.base_port());
/// # Ok::<(), portalloc::Error>(())
/// ```
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

    /// Binds this address instead. `::` is every address of both families.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Whether a TCP socket listens already. The server may call `listen` in either case. Until the socket listens, a
    /// program that asks for this port and sets `SO_REUSEADDR` can listen on it first.
    pub fn listen(mut self, listen: bool) -> Self {
        self.listen = listen;
        self
    }
}

impl Lease {
    /// Binds a socket to the port at `index` of the lease. It is closed on exec, and a TCP socket has `SO_REUSEADDR`
    /// set.
    ///
    /// With a guard on this lease, a foreign process can get ahead of a TCP socket only if it asks for this port, sets
    /// `SO_REUSEADDR` and listens within the microseconds of the bind: then the call fails with `port_in_use`, and the
    /// guard stays as it was. After success, the guard of that port stays open for reuse. A UDP guard is closed before
    /// the socket is bound, so a foreign process may still be first, which is also `port_in_use`.
    ///
    /// # Errors
    /// `invalid_argument` for an index out of range, an address of another machine, or a released lease; `port_in_use`
    /// if a foreign process has bound the port; `io`.
    pub fn socket(&self, index: usize, options: &SocketOptions) -> Result<ServerSocket> {
        let _held = self.check_held()?;
        let Some(port) = self.ports.get(index).copied() else {
            return Err(refusals::no_index(index, self.ports.len()));
        };
        let kind = if options.udp { Type::DGRAM } else { Type::STREAM };
        let address = SocketAddr::new(options.address, port);
        self.over_guard(port, kind, || {
            bind(address, kind, options).map(ServerSocket::new).map_err(|error| match error.kind() {
                std::io::ErrorKind::AddrNotAvailable => Error::invalid_argument(
                    format!("{} is not an address of this machine", options.address),
                    words::NAME_ADDRESS,
                ),
                _ => in_use(port, error),
            })
        })
    }

    /// Returns TCP listeners on the port at `index`, on 127.0.0.1 and, where the machine has it, on ::1.
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

fn bind(address: SocketAddr, kind: Type, options: &SocketOptions) -> std::io::Result<Socket> {
    let socket = sys::socket(Domain::for_address(address), kind, None)?;
    if !options.udp {
        // Without reuse a restarted server would fail on the TIME_WAIT of its own connections. On UDP reuse would only
        // let foreign processes in.
        socket.set_reuse_address(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
    }
    socket.bind(&address.into())?;
    if options.listen && !options.udp {
        socket.listen(BACKLOG)?;
    }
    Ok(socket)
}
