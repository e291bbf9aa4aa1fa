//! What a call would go by.

use std::path::{Path, PathBuf};

use portalloc::project::Project;
use pyo3::prelude::*;

use crate::call;
use crate::errors::raised;

/// The registry and the pool that calls from the current folder go by.
#[pyclass(frozen, get_all, module = "portalloc")]
pub(crate) struct Settings {
    /// The registry's folder, in which all leases of this machine meet.
    directory: PathBuf,
    /// The pool as it was asked for, such as `20000-29999`.
    pool: String,
    /// The ports that may be given out: the pool without the kernel's ephemeral range, known services, and exclusions.
    ports: String,
    /// How many those are.
    count: usize,
    /// What a user should know about this pool.
    warnings: Vec<String>,
    /// The project file `portalloc.toml` of the current folder or one above it.
    project: Option<PathBuf>,
}

#[pymethods]
impl Settings {
    fn __repr__(&self) -> String {
        format!("<Settings pool={:?} directory={:?}>", self.pool, self.directory)
    }
}

/// The registry and the pool that calls from the current folder go by: arguments, else variables, else the project file,
/// else the defaults.
///
/// Raises `InvalidArgumentError` for a malformed pool or project file, `RegistryUnusableError`, `PermissionDeniedError`.
#[pyfunction]
#[pyo3(signature = (*, pool = None, exclude = None))]
pub(crate) fn settings(py: Python<'_>, pool: Option<String>, exclude: Option<String>) -> PyResult<Settings> {
    let project = Project::nearest(Path::new(".")).map_err(|error| raised(py, error))?;
    call::short(py, &call::settings(pool, exclude), |allocator| {
        let pool = allocator.pool();
        Ok(Settings {
            directory: allocator.directory().to_owned(),
            pool: pool.asked().to_owned(),
            ports: pool.ports().to_string(),
            count: pool.ports().count(),
            warnings: pool.warnings().to_vec(),
            project: project.map(|project| project.path),
        })
    })
}
