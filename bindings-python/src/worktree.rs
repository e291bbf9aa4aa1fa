//! The environment of a worktree.

use std::path::PathBuf;

use portalloc::Settings;
use portalloc::ffi::{EnvironmentOptions, Obtain};
use pyo3::prelude::*;

use crate::arguments::{Count, Names, Offsets, OneOrMore, Ports, Seconds, choice};
use crate::call;
use crate::environment::Environment;
use crate::errors::raised;
use crate::origin::Origin;

/// The environment of this worktree: made when it is first asked for, and the same ever after, from any subdirectory, shell
/// or process, as `portalloc env` gives it. It is kept: neither this object nor its `with` block ends it, `down` does, and
/// `cleanup`.
///
/// - `create`: if false, the result is `None` where there is none yet. `repair`: moves it to other ports if it has others than
///   `portalloc.toml` or the arguments say by now, or if somebody else's program is on one of them.
/// - `worktree`: its directory; by default the one that contains the current directory. `instance_id` tells several environments
///   of it apart.
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
