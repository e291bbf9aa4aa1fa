//! What can be asked about ports without leasing them.

use portalloc::ffi::ReadinessOptions;
use portalloc::who::PortSummary;
use portalloc::{Allocator, Readiness, Result, Settings, ffi};
use pyo3::prelude::*;

use crate::arguments::{OneOrMore, Port, Seconds, Status};
use crate::call::{short, waiting};
use crate::errors::raised;
use crate::summaries::summary;
use crate::typed::{self, Typed};

/// Whether this port could be leased right now: it is not leased, and nothing is bound to it, TCP or UDP, on any address.
/// The port need not be in the pool. The answer may be out of date a moment later: to have a port, lease it.
///
/// Raises `InvalidArgumentError` outside 1 to 65535.
#[pyfunction]
pub(crate) fn is_free(py: Python<'_>, port: Port) -> PyResult<bool> {
    short(py, &Settings::new(), |allocator| allocator.is_free(port.0))
}

/// Waits until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1.
///
/// `http` is a path such as `/health`, which the server must answer with a status below 400, or with exactly `status`.
///
/// `wait` is in seconds, or a `timedelta`; 30 seconds by default, and 0 checks once. Other threads run meanwhile, and Ctrl-C
/// ends the wait. Raises `WaitTimeout`, a built-in `TimeoutError`, which says what was last seen on each port that is not open.
#[pyfunction]
#[pyo3(signature = (ports, wait = Seconds::USUAL, *, http = None, status = None))]
pub(crate) fn wait_until_open(
    py: Python<'_>,
    ports: OneOrMore,
    wait: Seconds,
    http: Option<String>,
    status: Option<Status>,
) -> PyResult<()> {
    let ready = readiness(http, status).map_err(|error| raised(py, error))?;
    let wait = |allocator: &Allocator| allocator.wait_until_ready(&ports.0, &ready, wait.0);
    waiting(py, |interrupt| interrupt.with(&Settings::new(), wait))
}

/// When a server counts as ready.
pub(crate) fn readiness(http: Option<String>, status: Option<Status>) -> Result<Readiness> {
    ReadinessOptions { http, status: status.map(Into::into) }.readiness()
}

/// Waits until nothing is bound to any of the ports: TCP or UDP, on any address, listening or not, TIME_WAIT included.
/// Whether a port is leased makes no difference.
///
/// `wait` is in seconds, or a `timedelta`; 30 seconds by default, and 0 checks once. Other threads run meanwhile, and Ctrl-C
/// ends the wait. Raises `WaitTimeout`, a built-in `TimeoutError`, which says what was last seen on each port that is not free.
#[pyfunction]
#[pyo3(signature = (ports, wait = Seconds::USUAL))]
pub(crate) fn wait_until_free(py: Python<'_>, ports: OneOrMore, wait: Seconds) -> PyResult<()> {
    waiting(py, |interrupt| interrupt.with(&Settings::new(), |allocator| allocator.wait_until_free(&ports.0, wait.0)))
}

/// Who is on a port: processes, sockets, and the lease or environment that has it. Locks, probes and changes nothing.
///
/// Only root sees the processes of other users. Raises `InvalidArgumentError` outside 1 to 65535.
#[pyfunction]
pub(crate) fn who(py: Python<'_>, port: Port) -> PyResult<Typed<'_, typed::PortReport>> {
    summary(py, "port_report", |allocator| {
        let reports = allocator.who([port.0])?;
        ffi::json(&PortSummary::from(reports.first().ok_or_else(|| ffi::no_port(port.0))?))
    })
}
