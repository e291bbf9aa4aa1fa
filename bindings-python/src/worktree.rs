//! The environment of a worktree, and what one does in it: wait for its own servers, and end them and nothing else.

use std::path::PathBuf;

use portalloc::ffi::{EnvironmentOptions, Obtain};
use portalloc::worktree::{StopOptions, StopReport};
use portalloc::{Readiness, Result, Settings, ffi};
use pyo3::prelude::*;

use crate::arguments::{Count, Names, NumberOrName, Offsets, OneOrMore, Ports, PortsOrNames, Seconds, Status, choice};
use crate::call;
use crate::environment::Environment;
use crate::errors::raised;
use crate::origin::Origin;
use crate::summaries::made;
use crate::typed::{self, Typed};

/// The environment of this worktree: made when it is first asked for, and the same ever after, from any subdirectory, shell
/// or process, as `portalloc env` gives it. It is kept: neither this object nor its `with` block ends it, `down` does, and
/// `cleanup`.
///
/// - `create`: if false, the result is `None` where there is none yet. `repair`: moves it to other ports if it has others than
///   `portalloc.toml` or the arguments say by now, or if somebody else's program is on one of them.
/// - `worktree`: a directory in it; by default the current one. `instance_id` tells several environments of it apart.
/// - All others are as for `portalloc.environment`, and apply when it is made. It is sticky unless `sticky` says otherwise.
///
/// Raises the errors of `portalloc.environment`, and `EnvironmentInUseError` if another process has been making, repairing or
/// removing it for 30 seconds, or if a program that has a `hold` on it keeps it from being repaired.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
#[pyo3(
    signature = (count = None, *, names = None, exact = None, offsets = None, scattered = false, instance_id = None, worktree = None, pool = None, exclude = None, sticky = None, prefer = None, wait = Seconds::NONE, create = true, repair = false)
)]
pub(crate) fn worktree_environment(
    py: Python<'_>,
    count: Option<Count>,
    names: Option<Names>,
    exact: Option<Ports>,
    offsets: Option<Offsets>,
    scattered: bool,
    instance_id: Option<String>,
    worktree: Option<PathBuf>,
    pool: Option<String>,
    exclude: Option<String>,
    sticky: Option<bool>,
    prefer: Option<OneOrMore>,
    wait: Seconds,
    create: bool,
    repair: bool,
) -> PyResult<Option<Environment>> {
    let options = EnvironmentOptions {
        ports: choice(count, exact, offsets, scattered),
        names: names.map(Into::into),
        instance_id,
        worktree,
        sticky,
        prefer: prefer.map(Into::into),
        wait: Some(wait.0),
        place: Origin::here(py).map(|origin| origin.told(py)).transpose()?,
        ..EnvironmentOptions::default()
    };
    let obtain = Obtain::given(create, repair).map_err(|error| raised(py, error))?;
    let request = options.request().map_err(|error| raised(py, error))?;
    let settings = Settings::given(None, pool, exclude);
    let found = call::waiting(py, |interrupt| {
        let (allocator, request) = settings.open_for(request)?;
        obtain.with(&interrupt.watch(&allocator), &request)
    })?;
    Ok(found.map(Environment::of_worktree))
}

/// `Environment.stop`.
pub(crate) fn stop<'py>(
    py: Python<'py>,
    environment: &Environment,
    ports: Option<PortsOrNames>,
    timeout: Option<Seconds>,
    dry_run: bool,
) -> PyResult<Typed<'py, typed::StopReport>> {
    let mut options = options(timeout, dry_run);
    if let Some(ports) = ports {
        options = options.ports(numbers(py, environment, ports)?);
    }
    let report = py.detach(|| ffi::no_panic(|| environment.core().stop(&options)));
    told(py, &call::finished(py, report)?)
}

/// `Environment.down`, and whether the environment was removed.
pub(crate) fn down<'py>(
    py: Python<'py>,
    environment: &Environment,
    timeout: Option<Seconds>,
    dry_run: bool,
) -> PyResult<(Typed<'py, typed::StopReport>, bool)> {
    let options = options(timeout, dry_run);
    let report = py.detach(|| ffi::no_panic(|| environment.core().down(&options)));
    let report = call::finished(py, report)?;
    Ok((told(py, &report)?, report.removed))
}

/// `Environment.wait_until_ours`.
pub(crate) fn wait_until_ours(
    py: Python<'_>,
    environment: &Environment,
    ports: Option<PortsOrNames>,
    wait: Seconds,
    http: Option<String>,
    status: Option<Status>,
) -> PyResult<()> {
    let ports = ports.map_or(Ok(Vec::new()), |ports| numbers(py, environment, ports))?;
    let mut readiness = http.map_or_else(Readiness::open, Readiness::http);
    if let Some(status) = status {
        readiness = readiness.status(status.0);
    }
    let waited = py.detach(|| ffi::no_panic(|| environment.core().wait_until_ours(&ports, &readiness, wait.0)));
    call::finished(py, waited)
}

fn options(timeout: Option<Seconds>, dry_run: bool) -> StopOptions {
    let options = StopOptions::new().dry_run(dry_run);
    match timeout {
        Some(timeout) => options.timeout(timeout.0),
        None => options,
    }
}

fn told<'py>(py: Python<'py>, report: &StopReport) -> PyResult<Typed<'py, typed::StopReport>> {
    made(py, "stop_report", &ffi::json(report).map_err(|error| raised(py, error))?)
}

/// The numbers of ports of this environment.
fn numbers(py: Python<'_>, environment: &Environment, given: PortsOrNames) -> PyResult<Vec<u16>> {
    let number = |port| match port {
        NumberOrName::Number(port) => Ok(port),
        NumberOrName::Name(name) => environment.port_of(&name),
    };
    given.0.into_iter().map(number).collect::<Result<_>>().map_err(|error| raised(py, error))
}
