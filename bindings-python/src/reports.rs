//! Who is on a port.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portalloc::registry::Timestamp;
use portalloc::who::{HolderSummary, PortClaim, PortSummary, SocketSummary};
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
    report: PortSummary,
    holders: Py<PyTuple>,
}

impl PortReport {
    pub(crate) fn new(py: Python<'_>, report: &portalloc::who::PortReport) -> PyResult<Self> {
        let mut report = PortSummary::from(report);
        let holders = std::mem::take(&mut report.holders).into_iter().map(Holder::from);
        Ok(Self { holders: PyTuple::new(py, holders)?.unbind(), report })
    }

    fn claim(&self) -> Option<&PortClaim> {
        self.report.claim.as_ref()
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
    fn message(&self) -> &str {
        &self.report.message
    }

    /// Whether there is a socket on it.
    #[getter]
    fn in_use(&self) -> bool {
        self.report.in_use
    }

    /// Whether a lease or an environment has it.
    #[getter]
    fn leased(&self) -> bool {
        self.report.claim.is_some()
    }

    /// The environment that has it, if one has.
    #[getter]
    fn isolation_id(&self) -> Option<&str> {
        self.claim().and_then(|claim| claim.isolation_id.as_deref())
    }

    /// `"held"` or `"kept"`, if it is leased.
    #[getter]
    fn lifetime<'py>(&self, py: Python<'py>) -> PyResult<Option<Typed<'py, typed::LifetimeWord>>> {
        self.claim().map(|claim| Typed::new(claim.lifetime, py)).transpose()
    }

    /// The process that took the lease, by its ID in its own PID namespace. The lease may have been passed on since.
    #[getter]
    fn leased_by(&self) -> Option<u32> {
        self.claim().and_then(|claim| claim.holder_pid)
    }

    /// Since when it is leased (UTC).
    #[getter]
    fn leased_since(&self) -> Option<SystemTime> {
        self.claim().and_then(|claim| claim.since).map(time)
    }

    /// The sockets on it, TCP and UDP, in every state.
    #[getter]
    fn sockets(&self) -> Vec<SocketInfo> {
        self.report.sockets.iter().cloned().map(SocketInfo::from).collect()
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

    fn __str__(&self) -> &str {
        self.message()
    }

    fn __repr__(&self) -> String {
        format!("<PortReport: {}>", self.report.message)
    }
}

impl From<HolderSummary> for Holder {
    fn from(holder: HolderSummary) -> Self {
        Self {
            pid: holder.pid,
            name: holder.name,
            command: holder.command,
            user: holder.user,
            started_at: holder.started_at.map(time),
            leased: holder.leased,
            listening: holder.listening,
        }
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

impl From<SocketSummary> for SocketInfo {
    fn from(socket: SocketSummary) -> Self {
        Self {
            protocol: socket.protocol,
            local: socket.local,
            remote: socket.remote,
            state: socket.state,
            pids: socket.pids,
        }
    }
}

#[pymethods]
impl SocketInfo {
    fn __repr__(&self) -> String {
        format!("<SocketInfo {} {} {}>", self.protocol, self.local, self.state)
    }
}
