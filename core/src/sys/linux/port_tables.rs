//! The kernel's tables of sockets: read, unlike a probe, without getting in anybody's way. They do not show sockets
//! that are bound and neither listen nor are connected.

use std::collections::HashSet;
use std::io;

use procfs::ProcResult;

/// The local ports of all TCP and UDP sockets of this network namespace.
pub(crate) fn ports_with_sockets() -> io::Result<HashSet<u16>> {
    fn add<E>(ports: &mut HashSet<u16>, table: ProcResult<Vec<E>>, port: impl Fn(&E) -> u16) -> io::Result<()> {
        match table {
            Ok(entries) => ports.extend(entries.iter().map(port)),
            // A kernel without IPv6 has no such table.
            Err(procfs::ProcError::NotFound(_)) => {}
            Err(error) => return Err(io::Error::other(error)),
        }
        Ok(())
    }
    let mut ports = HashSet::new();
    add(&mut ports, procfs::net::tcp(), |entry| entry.local_address.port())?;
    add(&mut ports, procfs::net::tcp6(), |entry| entry.local_address.port())?;
    add(&mut ports, procfs::net::udp(), |entry| entry.local_address.port())?;
    add(&mut ports, procfs::net::udp6(), |entry| entry.local_address.port())?;
    Ok(ports)
}
