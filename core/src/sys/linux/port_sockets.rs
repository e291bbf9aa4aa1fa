//! The kernel's view of the sockets on given ports: by netlink, else from the tables in /proc. Unlike a probe, it never
//! makes another program's bind fail. Knows neither processes nor leases.

use std::collections::BTreeSet;
use std::io;

use procfs::ProcResult;

use super::sock_diag;
use super::socket_states::{connected, state};
use crate::port_set::PortRange;
use crate::sys::port_socket::{PortSocket, PortSockets};

/// The sockets on `ports` in this network namespace, TCP and UDP, in every state.
pub(crate) fn port_sockets(ports: &BTreeSet<u16>) -> io::Result<PortSockets> {
    let Some(range) = ports.first().zip(ports.last()).and_then(|(first, last)| PortRange::new(*first, *last)) else {
        return Ok(PortSockets { sockets: Vec::new(), with_bound: true });
    };
    // A sandbox (seccomp) may refuse netlink, and a kernel may be built without it.
    let mut found = match sock_diag::sockets(range) {
        Ok(sockets) => PortSockets { sockets, with_bound: sock_diag::shows_bound() },
        Err(_) => PortSockets { sockets: tables(range)?, with_bound: false },
    };
    found.sockets.retain(|socket| ports.contains(&socket.local.port()));
    found.sockets.sort_by_key(|socket| (socket.local.port(), socket.protocol, socket.remote, socket.local));
    Ok(found)
}

fn tables(range: PortRange) -> io::Result<Vec<PortSocket>> {
    let mut found = Vec::new();
    for table in [procfs::net::tcp(), procfs::net::tcp6()] {
        for entry in rows(table)? {
            found.push(PortSocket {
                protocol: "tcp",
                local: entry.local_address,
                remote: connected(entry.remote_address),
                state: state("tcp", entry.state.to_u8()),
                user: entry.uid,
                inode: entry.inode,
            });
        }
    }
    for table in [procfs::net::udp(), procfs::net::udp6()] {
        for entry in rows(table)? {
            found.push(PortSocket {
                protocol: "udp",
                local: entry.local_address,
                remote: connected(entry.remote_address),
                state: state("udp", entry.state.to_u8()),
                user: entry.uid,
                inode: entry.inode,
            });
        }
    }
    found.retain(|socket| range.contains(socket.local.port()));
    Ok(found)
}

fn rows<E>(table: ProcResult<Vec<E>>) -> io::Result<Vec<E>> {
    match table {
        Ok(entries) => Ok(entries),
        // A kernel without IPv6 has no such table.
        Err(procfs::ProcError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    /// The tables are the fallback where netlink is refused, so both must give the same result.
    #[test]
    fn netlink_and_tables_agree() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (_server, _) = listener.accept().unwrap();
        let _udp = UdpSocket::bind(("::1", port)).ok();
        let range = PortRange::one(port);
        let sorted = |mut sockets: Vec<PortSocket>| {
            sockets.sort_by_key(|socket| (socket.protocol, socket.local, socket.remote));
            sockets
        };
        let (netlink, tables) = (sorted(sock_diag::sockets(range).unwrap()), sorted(tables(range).unwrap()));
        assert!(netlink.len() >= 2, "{netlink:?}");
        assert_eq!(netlink, tables);
    }

    #[test]
    fn no_ports_have_no_sockets() {
        assert!(port_sockets(&BTreeSet::new()).unwrap().sockets.is_empty());
    }
}
