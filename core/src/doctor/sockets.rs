//! Whether the probe sees every kind of holder, and which addresses this network namespace has.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::report::{Check, Status};
use crate::error::Error;
use crate::probe::bind_one;
use crate::sys;

const ADDRESSES: [IpAddr; 4] = [
    IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// What the probe said of a port that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Seen,
    Missed,
    /// This network namespace does not have the address.
    NoAddress,
}

/// Whether the probe sees a holder on any address, TCP and UDP.
pub(super) fn probe() -> Check {
    judge(|address, kind| {
        let Some(holder) = hold(address, kind)? else { return Ok(Found::NoAddress) };
        let port = holder.local_addr()?.as_socket().map_or(0, |address| address.port());
        match bind_one(port, kind) {
            Ok(_) => Ok(Found::Missed),
            Err(error) if sys::is_port_taken(&error) => Ok(Found::Seen),
            Err(error) => Err(error),
        }
    })
}

fn judge(mut see: impl FnMut(IpAddr, Type) -> io::Result<Found>) -> Check {
    const CODE: &str = "probe";
    let (mut missed, mut failed) = (Vec::new(), None);
    for address in ADDRESSES {
        for (kind, name) in [(Type::STREAM, "TCP"), (Type::DGRAM, "UDP")] {
            match see(address, kind) {
                Ok(Found::Seen | Found::NoAddress) => {}
                Ok(Found::Missed) => missed.push(format!("{name} on {}", shown(address))),
                Err(error) => failed = Some((format!("cannot try the probe: {name} on {}", shown(address)), error)),
            }
        }
    }
    let report = "please report this, with the whole output; until then, use --guard or socket activation";
    match failed {
        _ if !missed.is_empty() => Check::broken(
            CODE,
            format!("the probe takes a port for free on which another socket is bound: {}", missed.join(", ")),
            report,
        ),
        Some((what, error)) => Check::failed(CODE, &Error::os(what, error)),
        None => Check::ok(CODE, "sees a holder on every address, TCP and UDP"),
    }
}

fn shown(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// A server's socket on a port of the kernel's choice; `None` if there is no such address here.
fn hold(address: IpAddr, kind: Type) -> io::Result<Option<Socket>> {
    let socket = match sys::socket(if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 }, kind, None) {
        Ok(socket) => socket,
        Err(error) if sys::is_no_such_family(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    match socket.bind(&SocketAddr::new(address, 0).into()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => return Ok(None),
        Err(error) => return Err(error),
    }
    if kind == Type::STREAM {
        socket.listen(1)?;
    }
    Ok(Some(socket))
}

/// Whether programs reach each other on 127.0.0.1.
pub(super) fn loopback() -> Check {
    const CODE: &str = "loopback";
    match reaches_itself() {
        Ok(true) => Check::ok(CODE, "programs reach each other on 127.0.0.1"),
        Ok(false) => Check::note(CODE, "a datagram to 127.0.0.1 does not arrive: no client reaches a server there")
            .remedy(sys::doctor_words::LOOPBACK_UP),
        Err(error) => Check::failed(CODE, &Error::os("cannot try 127.0.0.1", error)),
    }
}

/// How long a datagram to oneself may take.
const ARRIVAL: Duration = Duration::from_millis(500);

/// Sends a datagram to its own socket. A route, or an address to bind, does not mean that the interface is up.
fn reaches_itself() -> io::Result<bool> {
    let Some(socket) = hold(Ipv4Addr::LOCALHOST.into(), Type::DGRAM)? else { return Ok(false) };
    let sent = socket.connect(&socket.local_addr()?).and_then(|()| socket.send(&[1]));
    match sent {
        Err(error) if error.kind() == io::ErrorKind::NetworkUnreachable => return Ok(false),
        other => other?,
    };
    socket.set_read_timeout(Some(ARRIVAL))?;
    match (&socket).read(&mut [0; 1]) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether servers can bind IPv6 addresses.
pub(super) fn ipv6(loopback: &Check) -> Check {
    const CODE: &str = "ipv6";
    // Without a loopback interface there is no ::1 either, but that is another line.
    let address = if loopback.status == Status::Ok { Ipv6Addr::LOCALHOST } else { Ipv6Addr::UNSPECIFIED };
    match hold(address.into(), Type::STREAM) {
        Ok(Some(_)) => Check::ok(CODE, "servers can bind IPv6 addresses"),
        Ok(None) => Check::note(
            CODE,
            "this network namespace has no IPv6: leases cover IPv4, which is all that a program can bind here",
        ),
        Err(error) => Check::failed(CODE, &Error::os("cannot bind an IPv6 address", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_that_misses_any_holder_is_noticed() {
        for at in 0..8 {
            let mut asked = 0..;
            let check = judge(|_, _| Ok(if asked.next() == Some(at) { Found::Missed } else { Found::Seen }));
            assert_eq!(check.status, Status::Broken, "{at}");
            let (address, kind) = (ADDRESSES[at / 2], ["TCP", "UDP"][at % 2]);
            assert!(check.message.ends_with(&format!(": {kind} on {}", shown(address))), "{}", check.message);
        }
        assert_eq!(judge(|_, _| Err(io::ErrorKind::Other.into())).status, Status::Broken);
    }

    #[test]
    fn the_kernels_probe_sees_all_and_missing_addresses_are_no_holders() {
        assert_eq!(probe().status, Status::Ok, "{}", probe().message);
        assert_eq!(judge(|_, _| Ok(Found::NoAddress)).status, Status::Ok);
    }
}
