//! Probes whether a socket is bound to a port. Knows sockets, not leases. Probe only under the port's lock: a server
//! that binds during the probe gets an error.
//!
//! Binds one TCP and one UDP socket; the platform module knows how to detect every holder.

use std::io;

use socket2::Type;

use crate::sys::{self, BoundPort};

/// The result of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occupancy {
    Free,
    Tcp,
    Udp,
    /// This user may not bind the port.
    Denied,
}

/// The two sockets of a probe that found nothing. While they are open, no other process can bind the port.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) port: u16,
    pub(crate) tcp: BoundPort,
    pub(crate) udp: BoundPort,
}

/// Probes `port` for TCP and then for UDP, and closes the sockets.
pub(crate) fn probe(port: u16) -> io::Result<Occupancy> {
    Ok(bind(port)?.err().unwrap_or(Occupancy::Free))
}

/// Probes `port` and keeps the sockets; otherwise returns what is bound to it.
pub(crate) fn bind(port: u16) -> io::Result<Result<Pair, Occupancy>> {
    pair(port, bind_one(port, Type::STREAM))
}

/// As `bind`, but ignores connections in TIME_WAIT: binds with reuse and then switches reuse off. Use it only on a port
/// without any other socket, because reuse misses many holders.
pub(crate) fn bind_resting(port: u16) -> io::Result<Result<Pair, Occupancy>> {
    let bound = pair(port, BoundPort::new(port, Type::STREAM, true))?;
    if let Ok(pair) = &bound {
        pair.tcp.shut()?;
    }
    Ok(bound)
}

/// Adds the UDP probe to the TCP one.
fn pair(port: u16, tcp: io::Result<BoundPort>) -> io::Result<Result<Pair, Occupancy>> {
    let tcp = match tcp {
        Ok(tcp) => tcp,
        Err(error) => return busy(error, Occupancy::Tcp).map(Err),
    };
    match bind_one(port, Type::DGRAM) {
        Ok(udp) => Ok(Ok(Pair { port, tcp, udp })),
        Err(error) => busy(error, Occupancy::Udp).map(Err),
    }
}

/// True if it is certain that nothing listens on `port`, which the caller has leased. TCP is probed with reuse, so that
/// connections in TIME_WAIT do not look like a server, and so that a server that sets reuse as well can bind at the
/// same moment.
pub(crate) fn is_quiet(port: u16) -> bool {
    port != 0 && BoundPort::new(port, Type::STREAM, true).is_ok() && bind_one(port, Type::DGRAM).is_ok()
}

fn busy(error: io::Error, occupancy: Occupancy) -> io::Result<Occupancy> {
    if sys::is_port_taken(&error) {
        Ok(occupancy)
    } else if sys::is_port_forbidden(&error) {
        Ok(Occupancy::Denied)
    } else {
        Err(error)
    }
}

/// Binds the port on every address, without reuse and without listening.
pub(crate) fn bind_one(port: u16, kind: Type) -> io::Result<BoundPort> {
    BoundPort::new(port, kind, false)
}
