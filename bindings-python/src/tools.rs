//! What tools and conformance tests ask: `portalloc.tools`.

use std::path::PathBuf;

use portalloc::{ErrorCode, IsolationId, SettingsSummary, doctor as the_doctor, ffi};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::arguments::{Count, Pairs};
use crate::call;
use crate::errors::raised;
use crate::summaries;
use crate::typed::{self, Typed};

/// The registry and the pool that calls from the current directory use.
#[pyclass(frozen, get_all, module = "portalloc.tools")]
pub(crate) struct Settings {
    /// The registry's directory, in which all leases of this machine meet.
    directory: PathBuf,
    /// The pool as it was asked for, such as `20000-29999`.
    pool: String,
    /// The ports that may be given out: the pool without the kernel's ephemeral range, known services, and exclusions.
    ports: String,
    /// How many those are.
    count: usize,
    /// What a user should know about this pool.
    warnings: Vec<String>,
    /// The project file `portalloc.toml` of the current directory or one above it.
    project: Option<PathBuf>,
}

#[pymethods]
impl Settings {
    fn __repr__(&self) -> String {
        format!("<Settings pool={:?} directory={:?}>", self.pool, self.directory)
    }
}

/// The registry and the pool that calls from the current directory use. Arguments override variables, which override the
/// project file, which overrides the defaults.
///
/// Raises `InvalidArgumentError` for a malformed pool or project file, `RegistryUnusableError`, `PermissionDeniedError`.
#[pyfunction]
#[pyo3(signature = (*, pool = None, exclude = None))]
pub(crate) fn settings(py: Python<'_>, pool: Option<String>, exclude: Option<String>) -> PyResult<Settings> {
    let SettingsSummary { directory, pool, ports, count, warnings, project, .. } =
        call::short(py, &portalloc::Settings::given(None, pool, exclude), SettingsSummary::of)?;
    let (directory, project) = (directory.into(), project.map(PathBuf::from));
    Ok(Settings { directory, pool, ports, count, warnings, project })
}

/// Whether portalloc keeps its promises on this machine. With `explain`, also whether a lease of so many consecutive ports
/// would be granted at this moment, and why not. `pool` and `exclude` are as in `settings`.
///
/// It raises nothing because of what it finds: a registry that cannot be opened is a line of the report. It changes nothing,
/// except that it creates a missing registry.
#[pyfunction]
#[pyo3(signature = (*, explain = None, pool = None, exclude = None))]
pub(crate) fn doctor(
    py: Python<'_>,
    explain: Option<Count>,
    pool: Option<String>,
    exclude: Option<String>,
) -> PyResult<Typed<'_, typed::DoctorReport>> {
    let settings = portalloc::Settings::given(None, pool, exclude);
    let count = explain.map(Into::into);
    let done = py.detach(|| ffi::no_panic(|| ffi::json(&the_doctor::examine(settings, count))));
    summaries::made(py, "doctor_report", &call::finished(py, done)?)
}

/// The text if it is an isolation ID, 12 lower-case hexadecimal digits; else raises `InvalidIdError`.
#[pyfunction]
pub(crate) fn parse_id(py: Python<'_>, text: &str) -> PyResult<String> {
    text.parse::<IsolationId>().map(|id| id.to_string()).map_err(|error| raised(py, error))
}

/// Writes variables, pairs of name and value, one on each line, whatever the values contain. `syntax` is `shell` (safe to
/// `eval`), `fish`, `powershell`, `dotenv` or `github`; `InvalidArgumentError` for any other.
#[pyfunction]
#[pyo3(signature = (variables, syntax = "shell"))]
pub(crate) fn render(py: Python<'_>, variables: Pairs, syntax: &str) -> PyResult<String> {
    let syntax = ffi::syntax(syntax).map_err(|error| raised(py, error))?;
    Ok(portalloc::environment::render(&variables.0, syntax))
}

/// The stable codes of all errors, in the order of the documentation.
#[pyfunction]
pub(crate) fn error_codes(py: Python<'_>) -> PyResult<Typed<'_, typed::Texts>> {
    Typed::new(PyTuple::new(py, ErrorCode::ALL.map(ErrorCode::as_str))?, py)
}
