//! Holding leased ports against programs that know nothing of portalloc: sockets that are bound and do not listen.
//! Knows sockets, not locks.

use std::sync::{MutexGuard, PoisonError};

use socket2::Type;

use super::{Lease, not_ours};
use crate::error::{Error, ErrorCode, Result};
use crate::probe::{self, Pair};
use crate::registry::PortsFile;
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
    /// `none`, `reuse` or `shut`: the words of the command line and of every other language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Shared => "reuse",
            Self::Exclusive => "shut",
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
    fn state(&self) -> GuardState {
        if self.ports.iter().all(|guarded| guarded.is_open) { GuardState::Shared } else { GuardState::Exclusive }
    }

    /// Everything or nothing: what was open stays open if one port cannot be shut.
    fn shut_again(&mut self) -> Result<()> {
        let missing = self.ports.iter().map(|guarded| match guarded.udp {
            Some(_) => Ok(None),
            None => bound(guarded.port, Type::DGRAM).and_then(|udp| kept(guarded.port, udp)).map(Some),
        });
        let bound: Vec<Option<GuardSocket>> = missing.collect::<Result<_>>()?;
        let mut opened = Vec::new();
        let shut = self.ports.iter_mut().filter(|guarded| guarded.is_open).try_for_each(|guarded| {
            guarded.open(false)?;
            opened.push(guarded);
            Ok(())
        });
        if shut.is_err() {
            for guarded in opened {
                let _ = guarded.open(true);
            }
            return shut;
        }
        for (guarded, udp) in self.ports.iter_mut().zip(bound) {
            guarded.udp = guarded.udp.take().or(udp);
        }
        Ok(())
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

impl Lease {
    /// What keeps strangers off the ports now.
    #[must_use]
    pub fn guard_state(&self) -> GuardState {
        self.in_sight(&self.guard).and_then(|guard| guard.as_ref().map(Guard::state)).unwrap_or(GuardState::None)
    }

    /// Shuts the ports to everybody: binds what is not bound yet, and takes back what [`open_guard`](Self::open_guard)
    /// allowed. Two descriptors a port.
    ///
    /// # Errors
    /// `port_in_use` if something is bound to one of the ports already, such as your own server; then nothing has
    /// changed. `invalid_argument` if the lease was released; `io` at the descriptor limit.
    pub fn guard(&self) -> Result<()> {
        // As long as this is there, no other thread can release the lease.
        let _held = self.check_held()?;
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = guard.as_mut() {
            return guard.shut_again();
        }
        let mut pairs = Vec::with_capacity(self.ports.len());
        for port in self.ports.iter().copied() {
            pairs.push(Pair { port, tcp: bound(port, Type::STREAM)?, udp: bound(port, Type::DGRAM)? });
        }
        *guard = Some(Guard::from_probe(pairs)?);
        Ok(())
    }

    /// Lets servers that set `SO_REUSEADDR` bind the ports, and everything that is UDP. Without a guard it does nothing.
    ///
    /// # Errors
    /// `invalid_argument` if the lease was released; `io` if the system refuses.
    pub fn open_guard(&self) -> Result<()> {
        let _held = self.check_held()?;
        if let Some(guard) = self.guard.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            for guarded in &mut guard.ports {
                guarded.open(true)?;
                guarded.udp = None;
            }
        }
        Ok(())
    }

    /// Takes the guard away, for servers that do not set `SO_REUSEADDR`. The ports stay leased. A forked child has none to
    /// take away.
    pub fn drop_guard(&self) {
        if let Some(mut guard) = self.in_sight(&self.guard) {
            *guard = None;
        }
    }

    /// Does `bind` for one port, over the guard. If it fails, the guard is as it was.
    pub(super) fn over_guard<T>(&self, port: u16, kind: Type, bind: impl FnOnce() -> Result<T>) -> Result<T> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(guarded) =
            guard.as_mut().and_then(|guard| guard.ports.iter_mut().find(|guarded| guarded.port == port))
        else {
            return bind();
        };
        if kind == Type::DGRAM {
            let was_shut = guarded.udp.take().is_some();
            return bind().inspect_err(|_| {
                // Whoever came first is what it failed of; then there is nothing to be guarded.
                let again = || GuardSocket::new(probe::bind_one(port, kind)?);
                guarded.udp = if was_shut { again().ok() } else { None };
            });
        }
        let was_open = guarded.is_open;
        guarded.open(true)?;
        bind().inspect_err(|_| {
            let _ = guarded.open(was_open);
        })
    }

    /// Only the process that took the lease, and only while it has it: which it does as long as the result lives.
    pub(super) fn check_held(&self) -> Result<MutexGuard<'_, Option<PortsFile>>> {
        if !self.is_ours() {
            return Err(not_ours());
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.held(file.as_ref())?;
        Ok(file)
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
