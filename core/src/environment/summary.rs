//! The fields of `list --json` as flat structs, which every language reads.

use std::path::PathBuf;

use serde::Serialize;

use super::list::{EnvironmentInfo, LeaseInfo, Listing};
use super::status::Status;
use crate::port_state::Holder;
use crate::registry::Lifetime;
use crate::time::Timestamp;

/// An environment as `list --json` shows it. Fields that only the record contains are `None` if it is broken or another
/// user's.
///
/// [`ListingSummary`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EnvironmentSummary {
    /// Its ID.
    #[serde(rename = "isolation_id")]
    pub id: String,
    /// `active`, `stale` or `damaged`.
    pub status: &'static str,
    /// Why it is stale, as a stable word such as `expired`.
    pub stale_reason: Option<&'static str>,
    /// Why it is not active, as a phrase.
    pub reason: Option<String>,
    /// `held` or `kept`; `None` if its record is broken.
    pub lifetime: Option<&'static str>,
    /// Its ports, in the order of the names if the record is readable.
    pub ports: Vec<u16>,
    /// The names of the first ports.
    pub names: Option<Vec<String>>,
    /// When it was created, if known.
    pub created_at: Option<Timestamp>,
    /// When its TTL ends.
    pub expires_at: Option<Timestamp>,
    /// The process that created a held environment, or the owner of a kept one.
    pub holder: Option<Holder>,
    /// The user it belongs to.
    pub user_id: u32,
    /// Its instance ID, which distinguishes it from others of its worktree.
    pub instance_id: Option<String>,
    /// Its worktree.
    pub worktree_path: Option<PathBuf>,
    /// Its temp directory.
    pub temp_dir: Option<PathBuf>,
    /// Its env file, if it has one.
    pub env_file: Option<PathBuf>,
    /// The path of its record.
    pub lock_file: Option<PathBuf>,
}

/// A live lease that belongs to no environment, as `list --json` shows it.
///
/// [`ListingSummary`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeaseSummary {
    /// Its ports, ascending.
    pub ports: Vec<u16>,
    /// The process that took it.
    pub holder: Option<Holder>,
    /// The user it belongs to.
    pub user_id: u32,
    /// When it was taken.
    pub since: Timestamp,
}

/// The contents of a registry, as `list --json` shows them.
///
/// ```
/// use portalloc::environment::ListingSummary;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let summary = ListingSummary::from(allocator.list()?);
/// let json = serde_json::to_value(&summary).unwrap();
/// assert_eq!(json["leases"][0]["ports"][0], lease.base_port());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListingSummary {
    /// The environments, oldest first; broken ones last.
    pub environments: Vec<EnvironmentSummary>,
    /// Live leases without an environment, by port.
    pub leases: Vec<LeaseSummary>,
}

impl From<Listing> for ListingSummary {
    fn from(listing: Listing) -> Self {
        Self {
            environments: listing.environments.into_iter().map(EnvironmentSummary::from).collect(),
            leases: listing.leases.into_iter().map(LeaseSummary::from).collect(),
        }
    }
}

impl From<EnvironmentInfo> for EnvironmentSummary {
    fn from(info: EnvironmentInfo) -> Self {
        let mut summary = Self {
            id: info.id.to_string(),
            status: info.status.as_str(),
            stale_reason: match &info.status {
                Status::Stale(reason) => Some(reason.as_str()),
                Status::Active | Status::Damaged(_) => None,
            },
            reason: info.status.reason(),
            lifetime: info.lifetime.map(Lifetime::as_str),
            ports: info.ports,
            names: None,
            created_at: info.created_at,
            expires_at: None,
            holder: info.holder,
            user_id: info.user,
            instance_id: None,
            worktree_path: None,
            temp_dir: None,
            env_file: None,
            lock_file: None,
        };
        if let Some(record) = info.record {
            summary.names = Some(record.names);
            summary.expires_at = record.expires_at;
            summary.instance_id = Some(record.instance_id);
            summary.worktree_path = Some(record.worktree_path);
            summary.temp_dir = Some(record.temp_dir);
            summary.env_file = record.env_file;
            summary.lock_file = Some(record.lock_file);
        }
        summary
    }
}

impl From<LeaseInfo> for LeaseSummary {
    fn from(lease: LeaseInfo) -> Self {
        Self { ports: lease.ports, holder: lease.holder, user_id: lease.user, since: lease.since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::StaleReason;

    const SINCE: Timestamp = Timestamp::from_unix_ms(1_769_853_720_123);

    #[test]
    fn another_users_shows_what_its_labels_tell() {
        let summary = EnvironmentSummary::from(EnvironmentInfo {
            id: "0123456789ab".parse().unwrap(),
            status: Status::Stale(StaleReason::Expired(SINCE)),
            lifetime: Some(Lifetime::Kept),
            ports: vec![7, 8],
            user: 9,
            created_at: Some(SINCE),
            holder: Some(Holder { pid: 5, name: Some("make".to_owned()), ended: false }),
            record: None,
        });
        assert_eq!((summary.status, summary.stale_reason), ("stale", Some("expired")));
        assert_eq!(summary.reason.as_deref(), Some("its TTL ended at 2026-01-31T10:02:00.123Z"));
        assert_eq!((summary.lifetime, summary.user_id), (Some("kept"), 9));
        assert_eq!(summary.holder, Some(Holder { pid: 5, name: Some("make".to_owned()), ended: false }));
        assert_eq!(summary.ports, [7, 8]);
        assert_eq!((summary.created_at, summary.expires_at), (Some(SINCE), None));
        assert_eq!((summary.names, summary.instance_id, summary.worktree_path), (None, None, None));
        assert_eq!((summary.temp_dir, summary.env_file, summary.lock_file), (None, None, None));
    }

    #[test]
    fn one_whose_labels_are_lost_is_not_stale() {
        let summary = EnvironmentSummary::from(EnvironmentInfo {
            id: "0123456789ab".parse().unwrap(),
            status: Status::Damaged(vec![7]),
            lifetime: None,
            ports: Vec::new(),
            user: 9,
            created_at: None,
            holder: None,
            record: None,
        });
        assert_eq!((summary.status, summary.stale_reason), ("damaged", None));
        assert_eq!(summary.reason.as_deref(), Some("labels of port 7 are missing: reconcile"));
        assert_eq!((summary.lifetime, summary.holder), (None, None));
    }
}
