//! The thieves: programs that know nothing of portalloc and want ports. Knows sockets and no leases; each works until
//! there is nothing left to get, in a process of its own and as another user.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::EPHEMERAL;
use crate::fault::Fallible;
use crate::sockets::{ANY, DUAL, LOOPBACK, LOOPBACK_6, bound, port};

/// More than there are ephemeral ports: where ports may be shared there is no end.
const TRIES: usize = 1000;
const EVERYWHERE: [IpAddr; 4] = [ANY, DUAL, LOOPBACK, LOOPBACK_6];

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Thief {
    #[value(name = "aW")]
    BindZero,
    #[value(name = "a4")]
    BindZeroLoopback,
    #[value(name = "a6")]
    BindZeroLoopback6,
    #[value(name = "b")]
    Connect,
    #[value(name = "c")]
    Explicit,
    #[value(name = "d")]
    ExplicitReuse,
    #[value(name = "e")]
    Udp,
    #[value(name = "eA")]
    UdpByChance,
}

impl Thief {
    pub(super) const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::BindZero, "aW", "bind(0) on 0.0.0.0 and [::], with and without SO_REUSEADDR"),
        (Self::BindZeroLoopback, "a4", "the same on 127.0.0.1"),
        (Self::BindZeroLoopback6, "a6", "the same on ::1"),
        (Self::Connect, "b", "connect() to a server on 127.0.0.1 and on ::1"),
        (Self::Explicit, "c", "bind without SO_REUSEADDR, naming the port"),
        (Self::ExplicitReuse, "d", "bind with SO_REUSEADDR and listen, naming the port"),
        (Self::Udp, "e", "UDP, naming the port"),
        (Self::UdpByChance, "eA", "UDP bind(0) and connect()"),
    ];

    /// Those of `wanted` that it gets.
    pub(super) fn steal(self, wanted: &[u16]) -> Fallible<BTreeSet<u16>> {
        let wanted: BTreeSet<u16> = wanted.iter().copied().collect();
        let mut got = BTreeSet::new();
        match self {
            Self::BindZero => bind_zero(&[ANY, DUAL], &mut got)?,
            Self::BindZeroLoopback => bind_zero(&[LOOPBACK], &mut got)?,
            Self::BindZeroLoopback6 => bind_zero(&[LOOPBACK_6], &mut got)?,
            Self::Connect => connect(&mut got)?,
            Self::Explicit => named(&wanted, &mut got, |port, address| bound(Type::STREAM, address, port, false)),
            Self::ExplicitReuse => named(&wanted, &mut got, |port, address| {
                let server = bound(Type::STREAM, address, port, true)?;
                server.listen(8)?;
                Ok(server)
            }),
            Self::Udp => {
                named(&wanted, &mut got, |port, address| bound(Type::DGRAM, address, port, false));
                named(&wanted, &mut got, |port, address| bound(Type::DGRAM, address, port, true));
            }
            Self::UdpByChance => udp_by_chance(&mut got)?,
        }
        Ok(got.intersection(&wanted).copied().collect())
    }
}

/// Takes and keeps until there is no more, then lets go of everything. What it got is in `got`.
fn exhaust(got: &mut BTreeSet<u16>, mut take: impl FnMut() -> io::Result<Socket>) -> Fallible<()> {
    let mut loot = Vec::new();
    while loot.len() < TRIES {
        match take() {
            Ok(socket) => {
                got.insert(port(&socket));
                loot.push(socket);
            }
            Err(error) if is_none_left(&error) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn is_none_left(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable | ErrorKind::WouldBlock)
}

fn bind_zero(addresses: &[IpAddr], got: &mut BTreeSet<u16>) -> Fallible<()> {
    for address in addresses.iter().copied() {
        for reuse in [false, true] {
            exhaust(got, || {
                let server = bound(Type::STREAM, address, 0, reuse)?;
                server.listen(8)?;
                Ok(server)
            })?;
        }
    }
    Ok(())
}

/// Connections whose own port the kernel chooses, until it has none left.
fn connect(got: &mut BTreeSet<u16>) -> Fallible<()> {
    for address in [LOOPBACK, LOOPBACK_6] {
        let server = bound(Type::STREAM, address, EPHEMERAL.0 - 1, true)?;
        server.listen(4096)?;
        let to = SocketAddr::from((address, port(&server)));
        exhaust(got, || {
            let client = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
            // So that nothing of it is left for the next thief to stumble over.
            client.set_linger(Some(Duration::ZERO))?;
            client.connect(&to.into())?;
            Ok(client)
        })?;
    }
    Ok(())
}

fn udp_by_chance(got: &mut BTreeSet<u16>) -> Fallible<()> {
    for address in EVERYWHERE {
        exhaust(got, || bound(Type::DGRAM, address, 0, false))?;
    }
    for address in [LOOPBACK, LOOPBACK_6] {
        let to = SocketAddr::from((address, EPHEMERAL.0 - 1));
        exhaust(got, || {
            let client = Socket::new(Domain::for_address(to), Type::DGRAM, None)?;
            client.connect(&to.into())?;
            Ok(client)
        })?;
    }
    Ok(())
}

/// Each of the ports on each address, one after the other: one of them is enough.
fn named(wanted: &BTreeSet<u16>, got: &mut BTreeSet<u16>, take: impl Fn(u16, IpAddr) -> io::Result<Socket>) {
    got.extend(wanted.iter().filter(|port| EVERYWHERE.iter().any(|address| take(**port, *address).is_ok())));
}
