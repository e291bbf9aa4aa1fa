//! The state of a port, as a value for programs and as a sentence for people.

use std::fmt;

use serde::Serialize;

use crate::id::IsolationId;
use crate::sys::{self, ProcessStamp};
use crate::time::Timestamp;

/// A port and its state.
///
/// ```
/// use portalloc::who::PortUsage;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let states = allocator.check([lease.base_port()])?;
/// assert!(matches!(states[0].usage, PortUsage::Held { .. }));
/// println!("{}", states[0]);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortState {
    /// The port.
    pub port: u16,
    /// Its state.
    pub usage: PortUsage,
}

/// The state of a port.
///
/// [`PortState`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PortUsage {
    /// Not leased, and no socket is bound to it.
    Free,
    /// Part of a live lease.
    Held {
        /// The process that took the lease, according to its label. Other processes may have inherited the lease since.
        holder: Option<Holder>,
        /// The environment that the lease belongs to; `None` for a plain lease.
        id: Option<IsolationId>,
        /// When the lease was taken.
        since: Option<Timestamp>,
    },
    /// Claimed by a kept environment.
    Kept {
        /// The environment.
        id: IsolationId,
        /// When the environment was created.
        since: Timestamp,
    },
    /// A foreign process has a socket on it.
    Bound {
        /// `tcp` or `udp`, whichever was found first.
        protocol: &'static str,
    },
    /// This user may not bind the port (below `ip_unprivileged_port_start`).
    Denied,
}

/// A process that took a lease.
///
/// [`LeaseInfo`](crate::environment::LeaseInfo) has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its process ID, in its own PID namespace.
    pub pid: u32,
    /// Its command name, if this process can read it.
    pub name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PID {}", self.pid)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

impl Holder {
    /// The process that a stamp identifies. The name is set only if that process still runs, because its ID may have
    /// been reused.
    pub(crate) fn of(stamp: ProcessStamp, here: &ProcessStamp) -> Self {
        let name = match stamp.judge(here) {
            sys::Liveness::Running => sys::process_name(stamp.pid),
            _ => None,
        };
        Self { pid: stamp.pid, name }
    }
}

impl PortUsage {
    /// Whether the port could be leased.
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
