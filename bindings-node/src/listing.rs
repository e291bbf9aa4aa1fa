//! What is in the registry, and removing what is over.

use napi::Env;
use napi_derive::napi;
use portalloc::{Cleanup, IsolationId, Lifetime, Selection};

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

pub(crate) fn lifetime(lifetime: Lifetime) -> &'static str {
    match lifetime {
        Lifetime::Held => "held",
        Lifetime::Kept => "kept",
    }
}

impl From<portalloc::EnvironmentInfo> for EnvironmentInfo {
    fn from(info: portalloc::EnvironmentInfo) -> Self {
        let record = info.record.map(|record| *record);
        Self {
            id: info.id.to_string(),
            status: info.status.as_str(),
            reason: info.status.reason(),
            lifetime: info.lifetime.map(lifetime),
            ports: info.ports,
            created_at: info.created_at.map(time),
            expires_at: record.as_ref().and_then(|record| record.expires_at).map(time),
            holder_pid: info.holder.as_ref().map(|holder| holder.pid),
            holder_name: info.holder.and_then(|holder| holder.name),
            user_id: info.user,
            names: record.as_ref().map(|record| record.names.clone()).unwrap_or_default(),
            instance_id: record.as_ref().map(|record| record.instance_id.clone()),
            worktree_path: record.as_ref().map(|record| path(&record.worktree_path)),
            temp_dir: record.as_ref().map(|record| path(&record.temp_dir)),
            env_file: record.and_then(|record| record.env_file.as_deref().map(path)),
        }
    }
}

impl From<portalloc::LeaseInfo> for LeaseInfo {
    fn from(lease: portalloc::LeaseInfo) -> Self {
        Self {
            ports: lease.ports,
            holder_pid: lease.holder.as_ref().map(|holder| holder.pid),
            holder_name: lease.holder.and_then(|holder| holder.name),
            user_id: lease.user,
            since: time(lease.since),
        }
    }
}

/// All environments, oldest first.
#[napi]
pub fn environments(env: &Env, place: Option<Where>) -> napi::Result<Vec<EnvironmentInfo>> {
    let listing = call::here(env, &call::settings(place), portalloc::Allocator::list)?;
    Ok(listing.environments.into_iter().map(EnvironmentInfo::from).collect())
}

/// All live leases that belong to no environment, by port.
#[napi]
pub fn leases(env: &Env, place: Option<Where>) -> napi::Result<Vec<LeaseInfo>> {
    let listing = call::here(env, &call::settings(place), portalloc::Allocator::list)?;
    Ok(listing.leases.into_iter().map(LeaseInfo::from).collect())
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
