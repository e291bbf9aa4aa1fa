//! Who is on a port: sockets, their processes, and the lease or environment that the port belongs to. Only reads: it
//! locks, probes and changes nothing. The wording is in sentence.rs.

mod conflicts;
mod holders;
mod leaks;
mod sentence;
mod summary;

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;

use serde::{Serialize, Serializer};

use crate::allocator::Allocator;
use crate::check;
use crate::error::{Error, Result};
use crate::port_set::PortRange;
pub use crate::port_state::{Holder, PortState, PortUsage};
use crate::process::taken_at;
use crate::refusals;
use crate::registry::{LabelState, PortsFile, Record, Registry, Stored};
use crate::sys::{self, PortSocket, PortSockets, ProcessStamp, SocketHolder};
use crate::time::Timestamp;

pub use conflicts::{Failure, PortExplanation};
pub use holders::PortHolder;
pub use leaks::{LEAK_GRACE, Leak};
pub use summary::{HolderSummary, PortClaim, PortSummary};

/// What is on a port.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let report = allocator.who([lease.base_port()])?.remove(0);
/// assert!(report.is_leased() && !report.is_in_use());
/// println!("{report}");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PortReport {
    /// The port.
    pub port: u16,
    /// Whether a lease or an environment has the port; if not, whether a socket is bound to it.
    pub usage: PortUsage,
    /// The record of the environment that has the port; `None` if the record is broken or another user's.
    pub record: Option<Box<Record>>,
    /// Where in its program this process leased the port, as `file:line`, or empty if that is unknown; `None` if it has
    /// not.
    pub taken_at: Option<String>,
    /// The sockets on it, TCP and UDP, in every state: first those that clients can reach, then those that are only
    /// bound, such as a guard's, then connections.
    pub sockets: Vec<SocketInfo>,
    /// Whether the kernel shows every kind of socket. Before Linux 6.8, and where netlink is refused, it does not show
    /// TCP sockets that are bound but neither listen nor are connected.
    pub complete: bool,
}

impl PortReport {
    /// Whether there is a socket on the port.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        !self.sockets.is_empty()
    }

    /// Whether this process has a socket on the port.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let mut processes = self.sockets.iter().flat_map(|socket| &socket.processes);
        processes.any(|process| process.is_this)
    }

    /// Whether a lease or an environment has the port.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        matches!(self.usage, PortUsage::Held { .. } | PortUsage::Kept { .. })
    }
}

/// A socket on a port.
///
/// [`PortReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SocketInfo {
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// Its local address.
    pub local: SocketAddr,
    /// The remote address, if it is connected.
    pub remote: Option<SocketAddr>,
    /// A stable word: `listen`, `established`, `bound` (TCP, neither listening nor connected), `unconnected` (UDP),
    /// `time_wait`, `syn_sent`, `syn_received`, `fin_wait_1`, `fin_wait_2`, `close_wait`, `last_ack`, `closing`,
    /// `unknown`.
    pub state: &'static str,
    /// The user who created it; `None` if no process has it open any more, or not yet: a connection that its server has
    /// still to accept.
    pub user_id: Option<u32>,
    /// The processes that have it open, as far as this process may see them, by PID.
    pub processes: Vec<ProcessInfo>,
    /// Why no process is shown although a process has it open.
    pub hidden: Option<Hidden>,
}

impl SocketInfo {
    /// Whether clients can reach it: a TCP socket that listens, or a UDP socket that is not connected.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        matches!(self.state, "listen" | "unconnected")
    }

    /// Its place among the sockets of a port: whoever asks, wants to know who answers there.
    fn rank(&self) -> u8 {
        match self.state {
            "listen" => 0,
            "unconnected" => 1,
            "bound" => 2,
            _ => 3,
        }
    }

    /// Whether it is a connection that its server has not accepted yet. A closed connection is never in one of these
    /// states.
    fn waits_to_be_accepted(&self) -> bool {
        self.user_id.is_none() && matches!(self.state, "established" | "syn_received" | "close_wait")
    }
}

/// Why the processes of a socket are not shown.
///
/// [`PortReport`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hidden {
    /// They belong to this other user: only that user and root can see them.
    OtherUser(u32),
    /// No visible process has it: it belongs to a process of another PID namespace, to one that may not be traced, or
    /// to the kernel itself.
    Elsewhere,
}

impl Hidden {
    /// `other_user` or `elsewhere`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OtherUser(_) => "other_user",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A process that has a socket open.
///
/// [`PortReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProcessInfo {
    /// Its process ID, in this process's PID namespace.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
    /// Its command line, arguments separated by spaces; empty if it has none. May contain any characters.
    pub command: String,
    /// The user it runs as.
    pub user_id: u32,
    /// That user's name, if the system has one.
    #[serde(rename = "user")]
    pub user_name: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// Whether it is the process that asks.
    #[serde(skip)]
    pub is_this: bool,
}

impl Allocator {
    /// Reports who is on each of `ports`, in the order given: processes, sockets, and the lease or environment. The
    /// ports need not be in the pool.
    ///
    /// Locks, probes and changes nothing. Searches for processes only if there are sockets.
    ///
    /// # Errors
    /// `invalid_argument` for port 0, `registry_unusable`, `io`.
    pub fn who(&self, ports: impl IntoIterator<Item = u16>) -> Result<Vec<PortReport>> {
        let ports: Vec<u16> = ports.into_iter().collect();
        if ports.contains(&0) {
            return Err(refusals::no_port(0));
        }
        let mut reports = self.in_checked_registry(|Self { registry, .. }| {
            let (file, here) = (registry.ports()?, registry.process()?);
            let usage = |port| claim(registry, &file, port, &here);
            let states = ports.iter().map(|port| Ok(PortState { port: *port, usage: usage(*port)? }));
            reports(registry, &states.collect::<Result<Vec<_>>>()?)
        })?;
        let sockets = reports.iter_mut().flat_map(|report| &mut report.sockets);
        for process in sockets.flat_map(|socket| &mut socket.processes) {
            process.user_name = sys::user_name(process.user_id);
        }
        Ok(reports)
    }
}

/// Describes ports for an error: each state as a sentence, with the visible processes on the port. If they cannot be
/// read, the states alone are described.
pub(crate) fn explain(registry: &Registry, states: &[PortState]) -> Vec<String> {
    match reports(registry, states) {
        Ok(reports) => reports.iter().map(ToString::to_string).collect(),
        Err(_) => states.iter().map(ToString::to_string).collect(),
    }
}

/// Who has the port, by locks and labels alone.
fn claim(registry: &Registry, ports: &PortsFile, port: u16, here: &ProcessStamp) -> Result<PortUsage> {
    let slot = ports.read_one(port)?;
    if let LabelState::Kept(label) = registry.standing_as_seen(ports, port, slot, here)?
        && let Some(id) = label.id
    {
        return Ok(PortUsage::Kept { id, since: Timestamp::from_unix_ms(label.since_ms) });
    }
    Ok(match ports.conflict(PortRange::one(port))? {
        Some(_) => check::held(slot, here),
        None => PortUsage::Free,
    })
}

fn reports(registry: &Registry, states: &[PortState]) -> Result<Vec<PortReport>> {
    let ports: BTreeSet<u16> = states.iter().map(|state| state.port).collect();
    let PortSockets { sockets, with_bound } =
        sys::port_sockets(&ports).map_err(|error| Error::os("cannot read the kernel's table of sockets", error))?;
    let inodes: HashSet<u64> = sockets.iter().map(|socket| socket.inode).filter(|inode| *inode != 0).collect();
    let holders = sys::socket_holders(&inodes);
    let holders = |inode| holders.get(&inode).map(Vec::as_slice).unwrap_or_default();
    states
        .iter()
        .map(|state| {
            let here = sockets.iter().filter(|socket| socket.local.port() == state.port);
            let mut sockets: Vec<SocketInfo> =
                here.map(|socket| SocketInfo::of(socket, holders(socket.inode))).collect();
            sockets.sort_by_key(SocketInfo::rank);
            let usage = match (&state.usage, sockets.first()) {
                (PortUsage::Free, Some(socket)) => PortUsage::Bound { protocol: socket.protocol },
                (usage, _) => usage.clone(),
            };
            let taken_at =
                if matches!(usage, PortUsage::Held { .. }) { taken_here(registry, state.port)? } else { None };
            let record = record(registry, &usage)?;
            Ok(PortReport { port: state.port, record, usage, taken_at, sockets, complete: with_bound })
        })
        .collect()
}

/// Where this process leased a port that a lease has, if it did.
fn taken_here(registry: &Registry, port: u16) -> Result<Option<String>> {
    Ok(registry.ports()?.read_one(port)?.label().and_then(|label| taken_at(label.lease)))
}

fn record(registry: &Registry, usage: &PortUsage) -> Result<Option<Box<Record>>> {
    let (PortUsage::Held { id: Some(id), .. } | PortUsage::Kept { id, .. }) = usage else { return Ok(None) };
    Ok(match registry.records().read(*id)? {
        Stored::Record(record) => Some(record),
        Stored::Missing | Stored::Broken(_) | Stored::Foreign(_) => None,
    })
}

impl SocketInfo {
    fn of(socket: &PortSocket, holders: &[SocketHolder]) -> Self {
        let hidden = match socket.inode {
            0 => None,
            _ if !holders.is_empty() => None,
            _ if socket.user != sys::user_id() => Some(Hidden::OtherUser(socket.user)),
            _ => Some(Hidden::Elsewhere),
        };
        Self {
            protocol: socket.protocol,
            local: socket.local,
            remote: socket.remote,
            state: socket.state,
            user_id: (socket.inode != 0).then_some(socket.user),
            processes: holders.iter().map(ProcessInfo::of).collect(),
            hidden,
        }
    }
}

impl ProcessInfo {
    fn of(holder: &SocketHolder) -> Self {
        Self {
            pid: holder.pid,
            name: holder.name.clone(),
            command: holder.command.clone(),
            user_id: holder.user,
            user_name: None,
            started_at: holder.started_at,
            is_this: holder.pid == std::process::id(),
        }
    }
}
