//! Is anything on this port? Knows sockets, not leases. Call it only under the port's lock: a probe that meets a
//! server's own bind makes that bind fail.
//!
//! One look for TCP and one for UDP: what it takes to meet every holder is the platform's.

use std::io;

use socket2::Type;

use crate::sys::{self, BoundPort};

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
    pub(crate) tcp: BoundPort,
    pub(crate) udp: BoundPort,
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
    let bound = pair(port, BoundPort::new(port, Type::STREAM, true))?;
    if let Ok(pair) = &bound {
        pair.tcp.shut()?;
    }
    Ok(bound)
}

/// The probe for UDP, beside that for TCP.
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

/// Whether certainly nothing listens on `port`, which the caller has leased. Reuse is on for TCP, so that neither connections
/// in TIME_WAIT look like a server, nor is a server kept off that binds at the same instant and sets it as well.
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
