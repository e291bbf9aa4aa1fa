//! Tests whether a server answers on a port. Knows TCP connections, not leases.
//!
//! A server counts as ready once a connection succeeds on either loopback address. The connection is closed at once, so
//! the server sees a client that sends nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::sys;

/// A connection that has had no answer for this long is started again. The kernel itself would retry only after 1, 3,
/// 7, ... seconds.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);

/// A port to connect to, on both loopback addresses.
pub(crate) struct Endpoint {
    pub(crate) port: u16,
    addresses: [Address; 2],
}

/// One address of the port.
struct Address {
    ip: IpAddr,
    pending: Option<(Socket, Instant)>,
    seen: Seen,
}

/// The last result at one address.
#[derive(Clone, PartialEq, Eq)]
enum Seen {
    /// No connection was tried, or no answer has arrived.
    Nothing,
    Connected,
    Refused,
    /// This machine does not have the address.
    Missing,
    Failed(String),
}

impl Endpoint {
    pub(crate) fn new(port: u16) -> Self {
        let address = |ip| Address { ip, pending: None, seen: Seen::Nothing };
        Self { port, addresses: [address(Ipv4Addr::LOCALHOST.into()), address(Ipv6Addr::LOCALHOST.into())] }
    }

    /// Starts a connection to each address that has none in progress.
    pub(crate) fn connect(&mut self) -> io::Result<()> {
        self.addresses.iter_mut().try_for_each(|address| address.connect(self.port))
    }

    /// Collects the answers, and returns true if a server is there.
    pub(crate) fn is_open(&mut self) -> bool {
        for address in &mut self.addresses {
            address.poll(self.port);
        }
        self.addresses.iter().any(|address| address.seen == Seen::Connected)
    }

    /// The connections without an answer yet.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &Socket> {
        self.addresses.iter().filter_map(|address| address.pending.as_ref()).map(|(socket, _)| socket)
    }

    /// The last results as text: "connection refused on 127.0.0.1 and ::1".
    pub(crate) fn seen(&self) -> String {
        let [v4, v6] = &self.addresses;
        if v4.seen == v6.seen {
            return format!("{} on {} and {}", v4.seen, v4.ip, v6.ip);
        }
        format!("{} on {}, {} on {}", v4.seen, v4.ip, v6.seen, v6.ip)
    }
}

impl Address {
    fn connect(&mut self, port: u16) -> io::Result<()> {
        if self.pending.as_ref().is_some_and(|(_, begun)| begun.elapsed() < CONNECT_TIMEOUT) {
            return Ok(());
        }
        self.pending = None;
        let address = SocketAddr::from((self.ip, port));
        let socket = match sys::socket(Domain::for_address(address), Type::STREAM, None) {
            Ok(socket) => socket,
            Err(error) if sys::is_no_such_family(&error) => {
                self.seen = Seen::Missing;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Err(error) if sys::is_connecting(&error) => {
                // The previous result stays until this connection is answered, or turns out to be impossible.
                self.pending = Some((socket, Instant::now()));
            }
            Err(error) => self.seen = Seen::from(&error),
            Ok(()) => self.seen = connected(&socket, port),
        }
        Ok(())
    }

    fn poll(&mut self, port: u16) {
        let Some((socket, begun)) = &self.pending else { return };
        self.seen = match socket.take_error() {
            Ok(Some(error)) | Err(error) => Seen::from(&error),
            Ok(None) if socket.peer_addr().is_ok() => connected(socket, port),
            Ok(None) => {
                if begun.elapsed() >= CONNECT_TIMEOUT {
                    self.seen = Seen::Nothing;
                }
                return;
            }
        };
        self.pending = None;
    }
}

/// Detects a connection to itself: on a free port in the ephemeral range, the kernel may choose that same port as the
/// local one. Then there is no server, and the connection must be closed without TIME_WAIT, which would keep the server
/// from its port for a minute.
fn connected(socket: &Socket, port: u16) -> Seen {
    let own = socket.local_addr().ok().and_then(|own| own.as_socket());
    if own.is_some_and(|own| own.port() == port) {
        // If this fails, the port is in TIME_WAIT for a minute, and the next attempts report it.
        let _ = socket.set_linger(Some(Duration::ZERO));
        return Seen::Refused;
    }
    Seen::Connected
}

impl From<&io::Error> for Seen {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::Nothing,
            // ::1 on a machine without IPv6.
            io::ErrorKind::AddrNotAvailable => Self::Missing,
            _ => Self::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "no answer",
            Self::Connected => "connected",
            Self::Refused => "connection refused",
            Self::Missing => "no such address",
            Self::Failed(why) => why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel chooses the port, which is bound with reuse like that of an outgoing connection, and the socket
    /// connects to itself.
    #[test]
    fn a_connection_that_met_itself_is_no_server_and_leaves_its_port_free() {
        for address in [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let any = SocketAddr::from((address, 0));
            let socket = Socket::new(Domain::for_address(any), Type::STREAM, None).unwrap();
            socket.bind(&any.into()).unwrap();
            let own = socket.local_addr().unwrap();
            socket.connect(&own).unwrap();
            let port = own.as_socket().unwrap().port();
            assert!(connected(&socket, port) == Seen::Refused);
            drop(socket);
            assert!(std::net::TcpListener::bind((address, port)).is_ok(), "{address}: its port is in TIME_WAIT");
        }
    }

    #[test]
    fn what_was_seen_names_both_addresses() {
        let mut endpoint = Endpoint::new(1);
        assert_eq!(endpoint.seen(), "no answer on 127.0.0.1 and ::1");
        endpoint.addresses[1].seen = Seen::Refused;
        assert_eq!(endpoint.seen(), "no answer on 127.0.0.1, connection refused on ::1");
    }
}
