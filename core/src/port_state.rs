//! What a port is doing, as a value for programs and a sentence for people.

use std::fmt;

use serde::Serialize;

use crate::id::IsolationId;
use crate::sys::{self, ProcessStamp};
use crate::time::Timestamp;

/// A port and what it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortState {
    /// The port.
    pub port: u16,
    /// What it is doing.
    pub usage: PortUsage,
}

/// What a port is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortUsage {
    /// Neither leased nor bound by anything.
    Free,
    /// In a live lease.
    Held {
        /// The process that took the lease, as its label says; the lease may have been passed on since.
        holder: Option<Holder>,
        /// The environment it belongs to, if it is not a plain lease.
        id: Option<IsolationId>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Claimed by a kept environment.
    Kept {
        /// The environment.
        id: IsolationId,
        /// Since when.
        since: Timestamp,
    },
    /// A program without a lease has a socket on it.
    Bound {
        /// `tcp` or `udp`: the first one found.
        protocol: &'static str,
    },
    /// This user may not bind it (below `ip_unprivileged_port_start`).
    Denied,
}

/// A process that took a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its process ID, in its own PID namespace.
    pub pid: u32,
    /// Its command name, where it can be read from here.
    pub name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PID {}", self.pid)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

impl Holder {
    /// The process of a stamp; its name only if it still runs, since the number may be another's by now.
    pub(crate) fn of(stamp: ProcessStamp, here: &ProcessStamp) -> Self {
        let name = match stamp.judge(here) {
            sys::Judgement::Running => sys::process_name(stamp.pid),
            _ => None,
        };
        Self { pid: stamp.pid, name }
    }
}

impl PortUsage {
    /// Whether a lease could have it.
    #[must_use]
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Free)
    }
}

impl fmt::Display for PortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.usage {
            PortUsage::Free => write!(f, "port {port} is free"),
            PortUsage::Held { holder, id, since } => {
                write!(f, "port {port} is held by ")?;
                match holder {
                    Some(holder) => write!(f, "{holder}")?,
                    None => f.write_str("another process")?,
                }
                id.map_or(Ok(()), |id| write!(f, ", environment {id}"))?;
                since.map_or(Ok(()), |since| write!(f, ", since {since}"))
            }
            PortUsage::Kept { id, since } => write!(f, "port {port} is kept by environment {id}, since {since}"),
            PortUsage::Bound { protocol } => {
                write!(f, "port {port} is in use by a program without a lease ({protocol})")
            }
            PortUsage::Denied => write!(f, "port {port} may not be bound by this user"),
        }
    }
}
