//! What is in the registry, and removing what has ended.

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::ListingSummary;
use portalloc::{IsolationId, Settings, ffi};
use pyo3::prelude::*;

use crate::call;
use crate::errors::raised;
use crate::summaries::summary;
use crate::typed::{self, Typed};

/// All environments of this network namespace, oldest first. Locks and changes nothing.
///
/// Raises `RegistryUnusableError`, `SystemCallError`.
#[pyfunction]
pub(crate) fn environments(py: Python<'_>) -> PyResult<Typed<'_, typed::EnvironmentInfos>> {
    summary(py, "environments", |allocator| ffi::json(&ListingSummary::from(allocator.list()?).environments))
}

/// All live leases that belong to no environment, by port. Locks and changes nothing.
///
/// Raises `RegistryUnusableError`, `SystemCallError`.
#[pyfunction]
pub(crate) fn leases(py: Python<'_>) -> PyResult<Typed<'_, typed::LeaseInfos>> {
    summary(py, "leases", |allocator| ffi::json(&ListingSummary::from(allocator.list()?).leases))
}

/// Checks the record, temp directory, env file and lease of an environment of this user, and looks at its ports.
///
/// Raises `InvalidIdError`, `NotFoundError`, `PermissionDeniedError`, `RegistryUnusableError`, `SystemCallError`.
#[pyfunction]
pub(crate) fn validate<'py>(py: Python<'py>, id: &str) -> PyResult<Typed<'py, typed::Validation>> {
    let id: IsolationId = id.parse().map_err(|error| raised(py, error))?;
    summary(py, "validation", |allocator| ffi::json(&allocator.validate(id)?))
}

/// Removes an environment, kept or stale: deletes its temp directory, env file and record, and releases its ports. Returns
/// `False` if there was none, so it is safe to call twice.
///
/// Raises `InvalidIdError`, `EnvironmentInUseError` if a live process holds it, `PermissionDeniedError`,
/// `RegistryUnusableError`, `SystemCallError`.
#[pyfunction]
pub(crate) fn cleanup(py: Python<'_>, id: &str) -> PyResult<bool> {
    let id: IsolationId = id.parse().map_err(|error| raised(py, error))?;
    remove(py, Selection::Id(id)).map(|removed| !removed.is_empty())
}

/// Removes the stale environments of this user and what crashes have left behind. Returns the IDs of the environments that
/// it removed. Never touches a live one.
///
/// Raises `PermissionDeniedError`, `RegistryUnusableError`, `SystemCallError`, after it has removed all others.
#[pyfunction]
pub(crate) fn cleanup_stale(py: Python<'_>) -> PyResult<Vec<String>> {
    remove(py, Selection::Stale)
}

fn remove(py: Python<'_>, selection: Selection) -> PyResult<Vec<String>> {
    let cleanup = Cleanup::new(selection);
    let report = call::long(py, &Settings::new(), |allocator| allocator.cleanup(&cleanup)?.strict())?;
    Ok(report.removed.into_iter().map(|removed| removed.id.to_string()).collect())
}
