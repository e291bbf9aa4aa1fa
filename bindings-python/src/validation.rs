//! Checking one environment.

use portalloc::{IsolationId, Settings};
use pyo3::prelude::*;

use crate::call;
use crate::errors::raised;

/// What a check of an environment found.
#[pyclass(frozen, get_all, module = "portalloc")]
pub(crate) struct Validation {
    /// Whether every check passed.
    valid: bool,
    /// Each part (`record`, `temp_dir`, `env_file`, `lease`) with why it failed, or `None` if it passed.
    checks: Vec<(&'static str, Option<String>)>,
    /// Each port with whether some program has a socket on it, as a server of the environment would.
    ports: Vec<(u16, bool)>,
}

#[pymethods]
impl Validation {
    fn __bool__(&self) -> bool {
        self.valid
    }

    fn __repr__(&self) -> String {
        let failures = self.checks.iter().filter_map(|(name, failure)| failure.as_ref().map(|why| (name, why)));
        let failures: Vec<String> = failures.map(|(name, why)| format!("{name}: {why}")).collect();
        if self.valid { "<Validation valid>".to_owned() } else { format!("<Validation {}>", failures.join("; ")) }
    }
}

/// Checks record, temp dir, env file and lease of an environment of this user, and looks at its ports.
///
/// Raises `InvalidIdError`, `NotFoundError`, `PermissionDeniedError`, `RegistryUnusableError`, `IoError`.
#[pyfunction]
pub(crate) fn validate(py: Python<'_>, id: &str) -> PyResult<Validation> {
    let id: IsolationId = id.parse().map_err(|error| raised(py, error))?;
    let found = call::long(py, &Settings::new(), |allocator| allocator.validate(id))?;
    Ok(Validation {
        valid: found.is_valid(),
        checks: found.checks.into_iter().map(|check| (check.name, check.failure)).collect(),
        ports: found.ports.into_iter().map(|port| (port.port, port.in_use)).collect(),
    })
}
