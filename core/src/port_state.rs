//! The state of a port, as a value for programs and as a sentence for people.

use std::fmt;

use serde::Serialize;

use crate::id::IsolationId;
use crate::sys::{self, Liveness, ProcessStamp};
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
    /// The name of its program, if this process can read it.
    pub name: Option<String>,
    /// Whether it has certainly ended: its PID may be another process's by now. Processes that inherited the lease may
    /// still run.
    #[serde(skip)]
    pub ended: bool,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PID {}", self.pid)?;
        match &self.name {
            _ if self.ended => f.write_str(" (has ended)"),
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

impl Holder {
    /// The process that a stamp identifies. The name is set only if that process still runs, because its ID may have
    /// been reused.
    pub(crate) fn of(stamp: ProcessStamp, here: &ProcessStamp) -> Self {
        let liveness = stamp.judge(here);
        let name = matches!(liveness, Liveness::Running).then(|| sys::process_name(stamp.pid)).flatten();
        Self { pid: stamp.pid, name, ended: liveness == Liveness::Ended }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_has_ended_is_said_to_have() {
        let holder =
            |name: Option<&str>, ended| Holder { pid: 7, name: name.map(ToOwned::to_owned), ended }.to_string();
        assert_eq!([holder(Some("web"), false), holder(None, false)], ["PID 7 (web)", "PID 7"]);
        assert_eq!(holder(None, true), "PID 7 (has ended)");
    }
}
