//! What is in the registry, and removing what is over.

use napi::Env;
use napi_derive::napi;
use portalloc::IsolationId;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::{EnvironmentSummary, LeaseSummary};

use crate::arguments::{Where, checked};
use crate::call;
use crate::errors::thrown;
use crate::reports::{path, time};

/// An environment as the registry shows it.
#[napi(object, object_from_js = false)]
pub struct EnvironmentInfo {
    pub id: String,
    #[napi(ts_type = "'active' | 'stale' | 'damaged'")]
    pub status: &'static str,
    pub reason: Option<String>,
    #[napi(ts_type = "'held' | 'kept'")]
    pub lifetime: Option<&'static str>,
    pub ports: Vec<u16>,
    pub names: Vec<String>,
    /// Milliseconds since 1970.
    pub created_at: Option<f64>,
    /// Milliseconds since 1970.
    pub expires_at: Option<f64>,
    pub holder_pid: Option<u32>,
    pub holder_name: Option<String>,
    pub user_id: u32,
    pub instance_id: Option<String>,
    pub worktree_path: Option<String>,
    pub temp_dir: Option<String>,
    pub env_file: Option<String>,
}

/// A live lease that belongs to no environment.
#[napi(object, object_from_js = false)]
pub struct LeaseInfo {
    pub ports: Vec<u16>,
    pub holder_pid: Option<u32>,
    pub holder_name: Option<String>,
    pub user_id: u32,
    /// Milliseconds since 1970.
    pub since: f64,
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
            worktree_path: info.worktree_path.as_deref().map(path),
            temp_dir: info.temp_dir.as_deref().map(path),
            env_file: info.env_file.as_deref().map(path),
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

/// All environments, oldest first.
#[napi]
pub fn environments(env: &Env, place: Option<Where>) -> napi::Result<Vec<EnvironmentInfo>> {
    let listing = call::here(env, &call::settings(place), portalloc::Allocator::list)?;
    Ok(listing.environments.into_iter().map(|info| EnvironmentSummary::from(info).into()).collect())
}

/// All live leases that belong to no environment, by port.
#[napi]
pub fn leases(env: &Env, place: Option<Where>) -> napi::Result<Vec<LeaseInfo>> {
    let listing = call::here(env, &call::settings(place), portalloc::Allocator::list)?;
    Ok(listing.leases.into_iter().map(|lease| LeaseSummary::from(lease).into()).collect())
}

/// Removes an environment, and says whether there was one.
#[napi]
pub fn cleanup(env: &Env, id: String, place: Option<Where>) -> napi::Result<bool> {
    let id: IsolationId = checked(env, id.parse())?;
    remove(env, Selection::Id(id), place).map(|removed| !removed.is_empty())
}

/// Removes what is over, and says what that was.
#[napi]
pub fn cleanup_stale(env: &Env, place: Option<Where>) -> napi::Result<Vec<String>> {
    remove(env, Selection::Stale, place)
}

fn remove(env: &Env, selection: Selection, place: Option<Where>) -> napi::Result<Vec<String>> {
    let cleanup = Cleanup::new(selection);
    let report = call::here(env, &call::settings(place), |allocator| allocator.cleanup(&cleanup))?;
    match report.skipped.first() {
        Some(skipped) => Err(thrown(env, &skipped.error)),
        None => Ok(report.removed.into_iter().map(|removed| removed.id.to_string()).collect()),
    }
}
