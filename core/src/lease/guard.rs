//! Holding leased ports against programs that know nothing of portalloc: sockets that are bound and do not listen.
//! Knows sockets, not locks.

use socket2::Type;

use crate::error::{Error, ErrorCode, Result};
use crate::probe::{self, Pair};
use crate::sys::{self, BoundPort, GuardSocket};

/// What keeps strangers off the ports of a lease.
///
/// | | other leases | bind(0), connect() | a stranger's bind, without reuse | a stranger's bind with `SO_REUSEADDR` | UDP | your own server can bind |
/// |---|---|---|---|---|---|---|
/// | `None` | kept off | kept off, outside the ephemeral range | gets in | gets in | gets in | yes |
/// | `Shared` | kept off | kept off | kept off | gets in | gets in | if it sets `SO_REUSEADDR`, as most do |
/// | `Exclusive` | kept off | kept off | kept off | kept off | kept off | no |
///
/// A guarded port refuses connections, as long as no server listens on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardState {
    /// No guard: the lease alone.
    None,
    /// A guard over which servers can bind that set `SO_REUSEADDR`; none for UDP, unless it was a hand-off that opened it.
    Shared,
    /// A guard that nobody can bind over, for TCP and UDP: of every port, but for those that were handed over.
    Exclusive,
}

impl GuardState {
    /// `none`, `shared` or `exclusive`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Shared => "shared",
            Self::Exclusive => "exclusive",
        }
    }
}

/// The sockets of a guard.
#[derive(Debug)]
pub(super) struct Guard {
    ports: Vec<Guarded>,
}

#[derive(Debug)]
struct Guarded {
    port: u16,
    tcp: GuardSocket,
    /// Whether servers with `SO_REUSEADDR` can bind over it.
    is_open: bool,
    /// None while it must not swallow the server's datagrams.
    udp: Option<GuardSocket>,
}

impl Guard {
    /// The sockets of a probe, kept.
    pub(super) fn from_probe(pairs: Vec<Pair>) -> Result<Self> {
        let guarded = |Pair { port, tcp, udp }| {
            Ok(Guarded { port, tcp: kept(port, tcp)?, is_open: false, udp: Some(kept(port, udp)?) })
        };
        Ok(Self { ports: pairs.into_iter().map(guarded).collect::<Result<_>>()? })
    }

    /// A hand-off opens the guard of its own port only: it is open once the last one is.
    pub(super) fn state(&self) -> GuardState {
        if self.ports.iter().all(|guarded| guarded.is_open) { GuardState::Shared } else { GuardState::Exclusive }
    }

    /// Everything or nothing: what was open stays open if one port cannot be shut.
    pub(super) fn close_again(&mut self) -> Result<()> {
        let missing = self.ports.iter().map(|guarded| match guarded.udp {
            Some(_) => Ok(None),
            None => bound(guarded.port, Type::DGRAM).and_then(|udp| kept(guarded.port, udp)).map(Some),
        });
        let bound: Vec<Option<GuardSocket>> = missing.collect::<Result<_>>()?;
        let mut opened = Vec::new();
        let closed = self.ports.iter_mut().filter(|guarded| guarded.is_open).try_for_each(|guarded| {
            guarded.open(false)?;
            opened.push(guarded);
            Ok(())
        });
        if closed.is_err() {
            for guarded in opened {
                let _ = guarded.open(true);
            }
            return closed;
        }
        for (guarded, udp) in self.ports.iter_mut().zip(bound) {
            guarded.udp = guarded.udp.take().or(udp);
        }
        Ok(())
    }

    /// Sockets of its own on each port.
    pub(super) fn bind(ports: &[u16]) -> Result<Self> {
        let pair =
            |port: &u16| Ok(Pair { port: *port, tcp: bound(*port, Type::STREAM)?, udp: bound(*port, Type::DGRAM)? });
        Self::from_probe(ports.iter().map(pair).collect::<Result<_>>()?)
    }

    /// Lets servers that set `SO_REUSEADDR` bind the ports, and everything that is UDP.
    pub(super) fn share(&mut self) -> Result<()> {
        for guarded in &mut self.ports {
            guarded.open(true)?;
            guarded.udp = None;
        }
        Ok(())
    }

    /// Does `bind` for one port, over the guard. If it fails, the guard is as it was.
    pub(super) fn over<T>(&mut self, port: u16, kind: Type, bind: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(guarded) = self.ports.iter_mut().find(|guarded| guarded.port == port) else { return bind() };
        if kind == Type::DGRAM {
            let was_closed = guarded.udp.take().is_some();
            return bind().inspect_err(|_| {
                // Whoever came first is what it failed of; then there is nothing to be guarded.
                let again = || GuardSocket::new(probe::bind_one(port, kind)?);
                guarded.udp = if was_closed { again().ok() } else { None };
            });
        }
        let was_open = guarded.is_open;
        guarded.open(true)?;
        bind().inspect_err(|_| {
            let _ = guarded.open(was_open);
        })
    }
}

impl Guarded {
    fn open(&mut self, open: bool) -> Result<()> {
        let failed = |error| Error::os(format!("cannot change the guard of port {}", self.port), error);
        self.tcp.open(open).map_err(failed)?;
        self.is_open = open;
        Ok(())
    }
}

/// A socket of a guard, which forked children do not keep.
fn kept(port: u16, bound: BoundPort) -> Result<GuardSocket> {
    GuardSocket::new(bound).map_err(|error| Error::os(format!("cannot guard port {port}"), error))
}

fn bound(port: u16, kind: Type) -> Result<BoundPort> {
    probe::bind_one(port, kind).map_err(|error| in_use(port, error))
}

/// The error of a bind that somebody stands in the way of.
pub(super) fn in_use(port: u16, error: std::io::Error) -> Error {
    if !sys::is_port_taken(&error) {
        return Error::os(format!("cannot bind port {port}"), error);
    }
    Error::new(
        ErrorCode::PortInUse,
        format!("port {port} is leased, but a program has bound it"),
        "see who it is with `portalloc who`, or guard the lease from the start",
    )
}
