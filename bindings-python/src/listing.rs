//! What is in the registry, and removing what is over.

use std::path::PathBuf;
use std::time::SystemTime;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::{EnvironmentSummary, LeaseSummary};
use portalloc::{IsolationId, Settings};
use pyo3::prelude::*;

use crate::call;
use crate::errors::raised;
use crate::reports::time;

/// An environment as the registry shows it.
#[pyclass(frozen, get_all, module = "portalloc")]
pub(crate) struct EnvironmentInfo {
    /// Its isolation ID.
    id: String,
    /// `active`, `stale` (its holder, TTL or owner is gone) or `damaged`.
    status: &'static str,
    /// Why it is not active.
    reason: Option<String>,
    /// `held` or `kept`; none if its record is broken.
    lifetime: Option<&'static str>,
    /// Its ports, in the order of the names.
    ports: Vec<u16>,
    /// Names of the first ports.
    names: Vec<String>,
    /// When it was made (UTC).
    created_at: Option<SystemTime>,
    /// When its TTL is over (UTC).
    expires_at: Option<SystemTime>,
    /// The process that made a held one, or the owner of a kept one.
    holder_pid: Option<u32>,
    /// That process's command name, while it runs.
    holder_name: Option<String>,
    /// The user it belongs to, by number.
    user_id: u32,
    /// What tells it from others of its work tree. None of another user's, as are the following.
    instance_id: Option<String>,
    /// Its work tree.
    worktree_path: Option<PathBuf>,
    /// Its temp dir.
    temp_dir: Option<PathBuf>,
    /// Its env file, if it has one.
    env_file: Option<PathBuf>,
}

/// A live lease that belongs to no environment.
#[pyclass(frozen, get_all, module = "portalloc")]
pub(crate) struct LeaseInfo {
    /// Its ports, ascending.
    ports: Vec<u16>,
    /// The process that took it.
    holder_pid: Option<u32>,
    /// That process's command name, while it runs.
    holder_name: Option<String>,
    /// The user it belongs to, by number.
    user_id: u32,
    /// When it was taken (UTC).
    since: SystemTime,
}

impl From<EnvironmentSummary> for EnvironmentInfo {
    fn from(info: EnvironmentSummary) -> Self {
        Self {
            id: info.id,
            status: info.status,
            reason: info.reason,
            lifetime: info.lifetime,
            ports: info.ports,
            names: info.names.unwrap_or_default(),
            created_at: info.created_at.map(time),
            expires_at: info.expires_at.map(time),
            holder_pid: info.holder_pid,
            holder_name: info.holder_name,
            user_id: info.user_id,
            instance_id: info.instance_id,
            worktree_path: info.worktree_path,
            temp_dir: info.temp_dir,
            env_file: info.env_file,
        }
    }
}

impl From<LeaseSummary> for LeaseInfo {
    fn from(lease: LeaseSummary) -> Self {
        Self {
            ports: lease.ports,
            holder_pid: lease.holder_pid,
            holder_name: lease.holder_name,
            user_id: lease.user_id,
            since: time(lease.since),
        }
    }
}

#[pymethods]
impl EnvironmentInfo {
    fn __repr__(&self) -> String {
        format!("<EnvironmentInfo {} {}>", self.id, self.status)
    }
}

#[pymethods]
impl LeaseInfo {
    fn __repr__(&self) -> String {
        format!("<LeaseInfo {}>", crate::lease::shown(&self.ports))
    }
}

/// All environments of this network namespace, oldest first. Nothing is locked or changed.
///
/// Raises `RegistryUnusableError`, `IoError`.
#[pyfunction]
pub(crate) fn environments(py: Python<'_>) -> PyResult<Vec<EnvironmentInfo>> {
    let listing = call::long(py, &Settings::new(), portalloc::Allocator::list)?;
    Ok(listing.environments.into_iter().map(|info| EnvironmentSummary::from(info).into()).collect())
}

/// All live leases that belong to no environment, by port. Nothing is locked or changed.
///
/// Raises `RegistryUnusableError`, `IoError`.
#[pyfunction]
pub(crate) fn leases(py: Python<'_>) -> PyResult<Vec<LeaseInfo>> {
    let listing = call::long(py, &Settings::new(), portalloc::Allocator::list)?;
    Ok(listing.leases.into_iter().map(|lease| LeaseSummary::from(lease).into()).collect())
}

/// Removes an environment, kept or stale: temp dir, env file, record, and gives its ports back. Returns whether there was
/// one, so that it may be called again.
///
/// Raises `InvalidIdError`, `InUseError` if a live process holds it, `PermissionDeniedError`, `RegistryUnusableError`,
/// `IoError`.
#[pyfunction]
pub(crate) fn cleanup(py: Python<'_>, id: &str) -> PyResult<bool> {
    let id: IsolationId = id.parse().map_err(|error| raised(py, error))?;
    remove(py, Selection::Id(id)).map(|removed| !removed.is_empty())
}

/// Removes what is over: stale environments of this user, and what crashes have left. Returns the IDs of those removed.
/// Never touches a live one.
///
/// Raises `PermissionDeniedError`, `RegistryUnusableError`, `IoError`, after all others were removed.
#[pyfunction]
pub(crate) fn cleanup_stale(py: Python<'_>) -> PyResult<Vec<String>> {
    remove(py, Selection::Stale)
}

fn remove(py: Python<'_>, selection: Selection) -> PyResult<Vec<String>> {
    let cleanup = Cleanup::new(selection);
    let report = call::long(py, &Settings::new(), |allocator| allocator.cleanup(&cleanup))?;
    match report.skipped.into_iter().next() {
        Some(skipped) => Err(raised(py, skipped.error)),
        None => Ok(report.removed.into_iter().map(|removed| removed.id.to_string()).collect()),
    }
}
