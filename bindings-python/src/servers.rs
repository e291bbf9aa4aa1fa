//! What one does with the servers on an environment's ports: waits for its own, and ends them and nothing else.

use portalloc::ffi::EndOptions;
use portalloc::worktree::StopReport;
use portalloc::{Result, ffi};
use pyo3::prelude::*;

use crate::arguments::{NumberOrName, PortsOrNames, Seconds, Status};
use crate::call::{self, Interrupt};
use crate::errors::raised;
use crate::ports::readiness;
use crate::summaries::made;
use crate::typed::{self, Typed};

/// `Environment.stop`.
pub(crate) fn stop<'py>(
    py: Python<'py>,
    environment: &portalloc::Environment,
    ports: Option<PortsOrNames>,
    timeout: Option<Seconds>,
    dry_run: bool,
) -> PyResult<Typed<'py, typed::StopReport>> {
    let ports = ports.map(|ports| numbers(py, environment, ports)).transpose()?;
    let options = EndOptions { ports, dry_run, timeout: timeout.map(Into::into) }.stop_options();
    let end = |interrupt: &Interrupt| ffi::stop(environment, &options, &|| interrupt.happened());
    told(py, &call::waiting(py, end)?)
}

/// `Environment.down`, and whether the environment was removed.
pub(crate) fn down<'py>(
    py: Python<'py>,
    environment: &portalloc::Environment,
    timeout: Option<Seconds>,
    dry_run: bool,
) -> PyResult<(Typed<'py, typed::StopReport>, bool)> {
    let options = EndOptions { ports: None, dry_run, timeout: timeout.map(Into::into) }.stop_options();
    let end = |interrupt: &Interrupt| ffi::down(environment, &options, &|| interrupt.happened());
    let report = call::waiting(py, end)?;
    Ok((told(py, &report)?, report.removed))
}

/// `Environment.wait_until_ours`.
pub(crate) fn wait_until_ours(
    py: Python<'_>,
    environment: &portalloc::Environment,
    ports: Option<PortsOrNames>,
    wait: Seconds,
    http: Option<String>,
    status: Option<Status>,
) -> PyResult<()> {
    let ports = ports.map_or(Ok(Vec::new()), |ports| numbers(py, environment, ports))?;
    let ready = readiness(http, status).map_err(|error| raised(py, error))?;
    call::waiting(py, |interrupt| ffi::wait_until_ours(environment, &ports, &ready, wait.0, &|| interrupt.happened()))
}

fn told<'py>(py: Python<'py>, report: &StopReport) -> PyResult<Typed<'py, typed::StopReport>> {
    made(py, "stop_report", &ffi::json(report).map_err(|error| raised(py, error))?)
}

/// The numbers of ports of this environment.
fn numbers(py: Python<'_>, environment: &portalloc::Environment, given: PortsOrNames) -> PyResult<Vec<u16>> {
    let number = |port| match port {
        NumberOrName::Number(port) => Ok(port),
        NumberOrName::Name(name) => port_of(environment, &name),
    };
    given.0.into_iter().map(number).collect::<Result<_>>().map_err(|error| raised(py, error))
}

/// The port of this name, or at this index.
pub(crate) fn port_of(environment: &portalloc::Environment, name: &str) -> Result<u16> {
    let ports = environment.ports();
    let index = environment.record().index(name)?;
    ports.get(index).copied().ok_or_else(|| ffi::no_index(index, ports.len()))
}
