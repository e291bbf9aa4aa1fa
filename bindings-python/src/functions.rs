//! What is asked about ports without leasing them.

use portalloc::{IsolationId, Settings, ffi};
use pyo3::prelude::*;

use crate::arguments::{OneOrMore, Pairs, Port, Seconds};
use crate::call::{long, short, waiting};
use crate::errors::raised;
use crate::reports::PortReport;

/// Whether a lease of this port could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
/// address. The port need not be in the pool. What is free now may be taken a moment later: to have a port, lease it.
///
/// Raises `InvalidArgumentError` outside 1 to 65535.
#[pyfunction]
pub(crate) fn is_free(py: Python<'_>, port: Port) -> PyResult<bool> {
    short(py, &Settings::new(), |allocator| allocator.is_free(port.0))
}

/// Waits until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1. A timeout of 0 looks once.
///
/// `timeout` is in seconds, 30 by default. Other threads run meanwhile, and Ctrl-C ends the wait. Raises `portalloc.TimeoutError`, which
/// is a built-in `TimeoutError` too and says of each port that is not there what was seen last.
#[pyfunction]
#[pyo3(signature = (ports, timeout = Seconds::USUAL))]
pub(crate) fn wait_for(py: Python<'_>, ports: OneOrMore, timeout: Seconds) -> PyResult<()> {
    waiting(py, |interrupt| {
        interrupt.with(&Settings::new(), |allocator| allocator.wait_until_open(&ports.0, timeout.0))
    })
}

/// Waits until nothing is bound to any of the ports: TCP or UDP, on any address, listening or not, TIME_WAIT included.
/// Whether a port is leased makes no difference. A timeout of 0 looks once.
///
/// `timeout` is in seconds, 30 by default. Other threads run meanwhile, and Ctrl-C ends the wait. Raises `portalloc.TimeoutError`, which
/// is a built-in `TimeoutError` too and says of each port that is not free what was seen last.
#[pyfunction]
#[pyo3(signature = (ports, timeout = Seconds::USUAL))]
pub(crate) fn wait_until_free(py: Python<'_>, ports: OneOrMore, timeout: Seconds) -> PyResult<()> {
    waiting(py, |interrupt| {
        interrupt.with(&Settings::new(), |allocator| allocator.wait_until_free(&ports.0, timeout.0))
    })
}

/// Who is on a port: processes, sockets, and the lease or environment that has it. Nothing is locked, probed or changed.
///
/// Processes of other users can be seen by root only. Raises `InvalidArgumentError` outside 1 to 65535.
#[pyfunction]
pub(crate) fn who(py: Python<'_>, port: Port) -> PyResult<PortReport> {
    let reports = long(py, &Settings::new(), |allocator| allocator.who([port.0]))?;
    let report = reports.into_iter().next().ok_or_else(|| raised(py, ffi::no_port(port.0)))?;
    PortReport::new(py, &report)
}

/// The text if it is an isolation ID, 12 lower-case hexadecimal digits; else raises `InvalidIdError`.
#[pyfunction]
pub(crate) fn parse_id(py: Python<'_>, text: &str) -> PyResult<String> {
    text.parse::<IsolationId>().map(|id| id.to_string()).map_err(|error| raised(py, error))
}

/// Writes variables, pairs of name and value, a line each, whatever the values contain. `syntax` is `shell` (safe to
/// `eval`), `fish`, `powershell`, `dotenv` or `github`; `InvalidArgumentError` for any other.
#[pyfunction]
#[pyo3(signature = (variables, syntax = "shell"))]
pub(crate) fn render(py: Python<'_>, variables: Pairs, syntax: &str) -> PyResult<String> {
    let syntax = ffi::syntax(syntax).map_err(|error| raised(py, error))?;
    Ok(portalloc::environment::render(&variables.0, syntax))
}
