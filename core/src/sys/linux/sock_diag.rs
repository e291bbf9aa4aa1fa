//! Reads the sockets on a range of ports from the kernel's sock_diag interface over netlink. The kernel filters them,
//! so the cost does not depend on the other sockets of the machine. Knows messages, not what they are asked for.

use std::io::{self, Read};
use std::net::SocketAddr;

use netlink_packet_core::{
    DefaultNla, Emitable, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, NetlinkSerializable, Parseable,
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use netlink_packet_sock_diag::inet::{ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags};
use socket2::{Domain, Protocol, Socket, Type};

use super::socket_states::{connected, state};
use crate::port_set::PortRange;
use crate::sys::port_socket::PortSocket;
use crate::sys::unix::descriptor;

/// The first kernel that shows TCP sockets that are bound but neither listen nor are connected, if asked for the state
/// `TCP_BOUND_INACTIVE`. Older kernels ignore that bit.
const SHOWS_BOUND: (u32, u32) = (6, 8);
const BOUND_INACTIVE: u32 = 1 << 13;
const STATES: u32 = StateFlags::all().bits() | BOUND_INACTIVE;

/// The request for TCP sockets of both families, which the crate does not define.
const TCPDIAG_GETSOCK: u16 = 18;

/// `INET_DIAG_REQ_BYTECODE`: the attribute with the filter.
const FILTER: u16 = 1;
/// `INET_DIAG_BC_S_GE`, `INET_DIAG_BC_S_LE`: compare the local port with the number in the next operation.
const AT_LEAST: u8 = 2;
const AT_MOST: u8 = 3;

/// The kernel fills at most this much at a time, in bytes.
const BUFFER: usize = 32 << 10;

/// The TCP and UDP sockets of this network namespace whose local port is in `range`.
pub(super) fn sockets(range: PortRange) -> io::Result<Vec<PortSocket>> {
    let domain = Domain::from(libc::AF_NETLINK);
    let socket = descriptor::socket(domain, Type::DGRAM, Some(Protocol::from(libc::NETLINK_SOCK_DIAG)))?;
    let mut buffer = vec![0; BUFFER];
    let mut found = Vec::new();
    let mut ask = |protocol, request: LeaseRequest| {
        socket.send(&request.message())?;
        replies(&socket, &mut buffer, protocol, &mut found)
    };
    ask("tcp", LeaseRequest::tcp(range))?;
    ask("udp", LeaseRequest::udp(range, libc::AF_INET, SocketId::new_v4()))?;
    match ask("udp", LeaseRequest::udp(range, libc::AF_INET6, SocketId::new_v6())) {
        // A kernel without IPv6.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
        other => other?,
    }
    Ok(found)
}

/// Whether this kernel shows bound sockets, by its version number. A distribution's kernel with a backport counts as
/// no, to be safe.
pub(super) fn shows_bound() -> bool {
    let name = rustix::system::uname();
    version(&name.release().to_string_lossy()).is_some_and(|version| version >= SHOWS_BOUND)
}

fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A dump request of either kind, followed by a filter.
struct LeaseRequest {
    kind: u16,
    fixed: Vec<u8>,
    filter: DefaultNla,
}

impl NetlinkSerializable for LeaseRequest {
    fn message_type(&self) -> u16 {
        self.kind
    }

    fn buffer_len(&self) -> usize {
        self.fixed.len() + self.filter.buffer_len()
    }

    fn serialize(&self, buffer: &mut [u8]) {
        if let Some((fixed, filter)) = buffer.split_at_mut_checked(self.fixed.len()) {
            fixed.copy_from_slice(&self.fixed);
            self.filter.emit(filter);
        }
    }
}

impl LeaseRequest {
    /// Requests the sockets of both families in one pass over the kernel's tables, of which there are few but large
    /// ones: the older request, which covers all families, takes half of the time.
    fn tcp(range: PortRange) -> Self {
        // struct inet_diag_req: family, two lengths and the extensions, all 0; socket; states; an unused number.
        let fixed =
            [[0; 4].as_slice(), &bytes(&of(SocketId::new_v4(), range)), &STATES.to_ne_bytes(), &[0; 4]].concat();
        Self { kind: TCPDIAG_GETSOCK, fixed, filter: filter(range) }
    }

    fn udp(range: PortRange, family: i32, socket_id: SocketId) -> Self {
        let request = InetRequest {
            family: family as u8,
            protocol: libc::IPPROTO_UDP as u8,
            extensions: ExtensionFlags::empty(),
            states: StateFlags::from_bits_retain(STATES),
            socket_id: of(socket_id, range),
        };
        Self { kind: SOCK_DIAG_BY_FAMILY, fixed: bytes(&request), filter: filter(range) }
    }

    fn message(self) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_DUMP;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(self));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }
}

fn bytes(part: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; part.buffer_len()];
    part.emit(&mut bytes);
    bytes
}

/// A single port is compared before the filter runs.
fn of(mut id: SocketId, range: PortRange) -> SocketId {
    if range.count() == 1 {
        id.source_port = range.first();
    }
    id
}

/// Two comparisons, each with the jump distances for success and failure: to the end of the program, which accepts, or
/// beyond it, which rejects.
fn filter(range: PortRange) -> DefaultNla {
    let operation = |code: u8, yes: u8, no: u16| {
        let [a, b] = no.to_ne_bytes();
        [code, yes, a, b]
    };
    let program = [
        operation(AT_LEAST, 8, 20),
        operation(0, 0, range.first()),
        operation(AT_MOST, 8, 12),
        operation(0, 0, range.last()),
    ];
    DefaultNla::new(FILTER, program.concat())
}

/// Reads messages until the kernel reports the end of the dump.
fn replies(socket: &Socket, buffer: &mut [u8], protocol: &'static str, found: &mut Vec<PortSocket>) -> io::Result<()> {
    loop {
        let length = match (&mut &*socket).read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            length => length?,
        };
        let mut rest = buffer.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            let message = NetlinkBuffer::new_checked(&rest).map_err(io::Error::other)?;
            match message.message_type() {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => return Err(error(message.payload())),
                SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK => found.push(reply(message.payload(), protocol)?),
                _ => {}
            }
            let length = (message.length() as usize).next_multiple_of(4);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

fn error(payload: &[u8]) -> io::Error {
    match payload.first_chunk() {
        Some(code) => io::Error::from_raw_os_error(i32::from_ne_bytes(*code).saturating_neg()),
        None => io::ErrorKind::InvalidData.into(),
    }
}

/// Reads only the fixed part; no attributes are needed.
fn reply(payload: &[u8], protocol: &'static str) -> io::Result<PortSocket> {
    let header = InetResponseHeader::parse(payload).map_err(io::Error::other)?;
    let id = header.socket_id;
    Ok(PortSocket {
        protocol,
        local: SocketAddr::new(id.source_address, id.source_port),
        remote: connected(SocketAddr::new(id.destination_address, id.destination_port)),
        state: state(protocol, header.state),
        user: header.uid,
        inode: header.inode.into(),
    })
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn versions_are_read_from_releases() {
        assert_eq!(version("6.18.44-fc-v669"), Some((6, 18)));
        assert_eq!(version("5.15.0-1051-aws"), Some((5, 15)));
        assert_eq!(version("6.8-rc1"), Some((6, 8)));
        assert_eq!(version("later"), None);
    }

    #[test]
    fn both_ends_of_a_range_are_in_it() {
        let one = UdpSocket::bind("127.0.0.1:0").unwrap();
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        let [a, b] = [&one, &other].map(|socket| socket.local_addr().unwrap());
        let range = PortRange::new(a.port().min(b.port()), a.port().max(b.port())).unwrap();
        let found: Vec<_> = sockets(range).unwrap().into_iter().map(|socket| socket.local).collect();
        assert!(found.contains(&a) && found.contains(&b), "{found:?}");
        assert!(found.iter().all(|local| range.contains(local.port())), "{found:?}");
        let found: Vec<_> = sockets(PortRange::one(a.port())).unwrap().into_iter().map(|socket| socket.local).collect();
        assert!(found.contains(&a) && !found.contains(&b), "{found:?}");
    }
}
