//! Guards leased ports against programs that do not use portalloc, with sockets that are bound and do not listen. Knows
//! sockets, not locks.

use socket2::Type;

use crate::error::{Error, ErrorCode, Result};
use crate::probe::{self, Pair};
use crate::sys::{self, BoundPort, GuardSocket};

/// What keeps foreign processes off the ports of a lease.
///
/// | | other leases | bind(0), connect() | foreign bind without reuse | foreign bind with `SO_REUSEADDR` | UDP | your own server can bind |
/// |---|---|---|---|---|---|---|
/// | `None` | blocked | blocked outside the ephemeral range | succeeds | succeeds | succeeds | yes |
/// | `Shared` | blocked | blocked | blocked | succeeds | succeeds | if it sets `SO_REUSEADDR`, as most do |
/// | `Exclusive` | blocked | blocked | blocked | blocked | blocked | no |
///
/// A guarded port refuses connections until a server listens on it.
///
/// ```
/// use portalloc::{GuardState, LeaseRequest};
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(LeaseRequest::run(1).guard(true))?;
/// assert_eq!(lease.guard_state(), GuardState::Exclusive);
/// lease.share_guard()?;
/// assert_eq!(lease.guard_state(), GuardState::Shared);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardState {
    /// No guard, only the lease.
    None,
    /// A guard over which servers that set `SO_REUSEADDR` can bind. It does not cover UDP, unless
    /// [`Lease::socket`](crate::Lease::socket) opened it.
    Shared,
    /// A guard over which no program can bind, for TCP and UDP. It covers every port except those bound with
    /// [`Lease::socket`](crate::Lease::socket).
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
    /// `None` while the guard must not receive the server's datagrams.
    udp: Option<GuardSocket>,
}

impl Guard {
    /// Keeps the sockets of a probe as a guard.
    pub(super) fn from_probe(pairs: Vec<Pair>) -> Result<Self> {
        let guarded = |Pair { port, tcp, udp }| {
            Ok(Guarded { port, tcp: kept(port, tcp)?, is_open: false, udp: Some(kept(port, udp)?) })
        };
        Ok(Self { ports: pairs.into_iter().map(guarded).collect::<Result<_>>()? })
    }

    /// Socket activation opens the guard of one port only; the guard counts as shared once all are open.
    pub(super) fn state(&self) -> GuardState {
        if self.ports.iter().all(|guarded| guarded.is_open) { GuardState::Shared } else { GuardState::Exclusive }
    }

    /// Closes all ports to other binds, or none: if one port cannot be closed, the others are opened again.
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

    /// Binds a new guard on each port.
    pub(super) fn bind(ports: &[u16]) -> Result<Self> {
        let pair =
            |port: &u16| Ok(Pair { port: *port, tcp: bound(*port, Type::STREAM)?, udp: bound(*port, Type::DGRAM)? });
        Self::from_probe(ports.iter().map(pair).collect::<Result<_>>()?)
    }

    /// Lets servers that set `SO_REUSEADDR` bind the ports for TCP, and any server for UDP.
    pub(super) fn share(&mut self) -> Result<()> {
        for guarded in &mut self.ports {
            guarded.open(true)?;
            guarded.udp = None;
        }
        Ok(())
    }

    /// Runs `bind` for one port, over its guard. If it fails, the guard is restored.
    pub(super) fn over<T>(&mut self, port: u16, kind: Type, bind: impl FnOnce() -> Result<T>) -> Result<T> {
        let Some(guarded) = self.ports.iter_mut().find(|guarded| guarded.port == port) else { return bind() };
        if kind == Type::DGRAM {
            let was_closed = guarded.udp.take().is_some();
            return bind().inspect_err(|_| {
                // If another program was first, `bind` has failed because of it, and there is nothing left to guard.
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

/// A guard socket, which is closed in forked children.
fn kept(port: u16, bound: BoundPort) -> Result<GuardSocket> {
    GuardSocket::new(bound).map_err(|error| Error::os(format!("cannot guard port {port}"), error))
}

fn bound(port: u16, kind: Type) -> Result<BoundPort> {
    probe::bind_one(port, kind).map_err(|error| in_use(port, error))
}

/// The error of a bind to a port that another program has bound.
pub(super) fn in_use(port: u16, error: std::io::Error) -> Error {
    if !sys::is_port_taken(&error) {
        return Error::os(format!("cannot bind port {port}"), error);
    }
    Error::new(
        ErrorCode::PortInUse,
        format!("port {port} is leased, but a program has bound it"),
        "find it with `portalloc who`, or guard the lease from the start",
    )
}
