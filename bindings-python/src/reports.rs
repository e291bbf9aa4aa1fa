//! Who is on a port.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portalloc::{IsolationId, PortHolder, PortUsage, Timestamp};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::typed::{self, Typed};

/// A point in time, which Python shows as an aware `datetime` in UTC.
pub(crate) fn time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.unix_ms())
}

/// A process that has a socket on a port, or took its lease.
#[pyclass(frozen, get_all, module = "portalloc")]
pub(crate) struct Holder {
    /// Its process ID; of one that only has the lease, as seen from its own PID namespace.
    pid: u32,
    /// Its command name, where it can be read from here.
    name: Option<String>,
    /// Its command line, if it has a socket on the port. May hold any characters.
    command: Option<String>,
    /// The user it runs as, by name or else by number, if it has a socket on the port.
    user: Option<String>,
    /// When it started (UTC), if it has a socket on the port.
    started_at: Option<SystemTime>,
    /// Whether it took the port's lease.
    leased: bool,
    /// Whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
    listening: bool,
}

/// A socket on a port.
#[pyclass(frozen, get_all, module = "portalloc")]
pub(crate) struct SocketInfo {
    /// `tcp` or `udp`.
    protocol: &'static str,
    /// Its address on this machine, such as `127.0.0.1:8080`.
    local: String,
    /// The other end, if it is connected.
    remote: Option<String>,
    /// `listen`, `established`, `bound` (TCP, neither listening nor connected), `unconnected` (UDP), `time_wait`,
    /// `syn_sent`, `syn_received`, `fin_wait_1`, `fin_wait_2`, `close_wait`, `last_ack`, `closing` or `unknown`.
    state: &'static str,
    /// The processes that have it open, as far as this one may see.
    pids: Vec<u32>,
}

/// Who is on a port: iterable and indexable, it is the processes that have sockets on it or took its lease. As text it is
/// one sentence.
#[pyclass(frozen, sequence, module = "portalloc")]
pub(crate) struct PortReport {
    report: portalloc::PortReport,
    holders: Py<PyTuple>,
}

/// What the lease on a port says of itself.
struct Claim {
    lifetime: &'static str,
    holder: Option<u32>,
    id: Option<IsolationId>,
    since: Option<Timestamp>,
}

impl PortReport {
    pub(crate) fn new(py: Python<'_>, report: portalloc::PortReport) -> PyResult<Self> {
        let holders = PyTuple::new(py, report.holders().into_iter().map(Holder::from))?.unbind();
        Ok(Self { report, holders })
    }

    fn claim(&self) -> Option<Claim> {
        match &self.report.usage {
            PortUsage::Held { holder, id, since } => {
                Some(Claim { lifetime: "held", holder: holder.as_ref().map(|by| by.pid), id: *id, since: *since })
            }
            PortUsage::Kept { id, since } => {
                Some(Claim { lifetime: "kept", holder: None, id: Some(*id), since: Some(*since) })
            }
            _ => None,
        }
    }
}

#[pymethods]
impl PortReport {
    /// The port.
    #[getter]
    fn port(&self) -> u16 {
        self.report.port
    }

    /// One sentence: who is on it, since when, and the lease or environment that has it.
    #[getter]
    fn message(&self) -> String {
        self.report.to_string()
    }

    /// Whether there is a socket on it.
    #[getter]
    fn in_use(&self) -> bool {
        !self.report.sockets.is_empty()
    }

    /// Whether a lease or an environment has it.
    #[getter]
    fn leased(&self) -> bool {
        self.report.is_leased()
    }

    /// The environment that has it, if one has.
    #[getter]
    fn isolation_id(&self) -> Option<String> {
        self.claim().and_then(|claim| claim.id).map(|id| id.to_string())
    }

    /// `"held"` or `"kept"`, if it is leased.
    #[getter]
    fn lifetime<'py>(&self, py: Python<'py>) -> PyResult<Option<Typed<'py, typed::LifetimeWord>>> {
        self.claim().map(|claim| Typed::new(claim.lifetime, py)).transpose()
    }

    /// The process that took the lease, by its ID in its own PID namespace. The lease may have been passed on since.
    #[getter]
    fn leased_by(&self) -> Option<u32> {
        self.claim().and_then(|claim| claim.holder)
    }

    /// Since when it is leased (UTC).
    #[getter]
    fn leased_since(&self) -> Option<SystemTime> {
        self.claim().and_then(|claim| claim.since).map(time)
    }

    /// The sockets on it, TCP and UDP, in every state.
    #[getter]
    fn sockets(&self) -> Vec<SocketInfo> {
        self.report.sockets.iter().map(SocketInfo::from).collect()
    }

    /// Whether the kernel shows every kind of socket. Before Linux 6.8 it does not show TCP sockets that are bound and
    /// neither listen nor are connected.
    #[getter]
    fn complete(&self) -> bool {
        self.report.complete
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.holders.bind(py).len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Typed<'py, typed::Holder>> {
        // A negative one arrives as it is, and the tuple knows what it means.
        Typed::new(self.holders.bind(py).as_any().get_item(index)?, py)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::HolderIterator>> {
        Typed::new(self.holders.bind(py).try_iter()?, py)
    }

    fn __str__(&self) -> String {
        self.message()
    }

    fn __repr__(&self) -> String {
        format!("<PortReport: {}>", self.report)
    }
}

impl From<PortHolder> for Holder {
    fn from(holder: PortHolder) -> Self {
        let PortHolder { pid, name, process, leased, listening, .. } = holder;
        let started_at = process.as_ref().map(|process| time(process.started_at));
        let user =
            process.as_ref().map(|process| process.user_name.clone().unwrap_or_else(|| process.user_id.to_string()));
        Self { pid, name, command: process.map(|process| process.command), user, started_at, leased, listening }
    }
}

#[pymethods]
impl Holder {
    fn __repr__(&self) -> String {
        match &self.name {
            Some(name) => format!("<Holder PID {} ({name})>", self.pid),
            None => format!("<Holder PID {}>", self.pid),
        }
    }
}

impl From<&portalloc::SocketInfo> for SocketInfo {
    fn from(socket: &portalloc::SocketInfo) -> Self {
        Self {
            protocol: socket.protocol,
            local: socket.local.to_string(),
            remote: socket.remote.map(|remote| remote.to_string()),
            state: socket.state,
            pids: socket.processes.iter().map(|process| process.pid).collect(),
        }
    }
}

#[pymethods]
impl SocketInfo {
    fn __repr__(&self) -> String {
        format!("<SocketInfo {} {} {}>", self.protocol, self.local, self.state)
    }
}
