//! The fields of `who --json` as flat structs, which every language reads.

use std::path::PathBuf;

use serde::Serialize;

use super::{PortHolder, PortReport, SocketInfo};
use crate::port_state::{Holder, PortUsage};
use crate::registry::Lifetime;
use crate::time::Timestamp;

/// What is on a port, as `who --json` shows it.
///
/// ```
/// use portalloc::who::PortSummary;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(1)?;
/// let report = allocator.who([lease.base_port()])?.remove(0);
/// let json = serde_json::to_value(PortSummary::from(&report)).unwrap();
/// assert_eq!(json["lease"]["lifetime"], "held");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PortSummary {
    /// The port.
    pub port: u16,
    /// A sentence that describes it.
    pub message: String,
    /// Whether there is a socket on it.
    pub in_use: bool,
    /// The lease or environment that has it.
    #[serde(rename = "lease")]
    pub claim: Option<PortClaim>,
    /// The sockets on it, TCP and UDP, in every state.
    pub sockets: Vec<SocketInfo>,
    /// The processes that have sockets on it or took its lease.
    pub holders: Vec<HolderSummary>,
    /// Whether the kernel shows every kind of socket.
    pub complete: bool,
}

/// The lease or environment that has a port.
///
/// [`PortSummary`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PortClaim {
    /// `held` or `kept`.
    pub lifetime: &'static str,
    /// The process that took the lease; its ID is from its own PID namespace.
    pub holder: Option<Holder>,
    /// The environment.
    pub isolation_id: Option<String>,
    /// When it was taken.
    pub since: Option<Timestamp>,
    /// The environment's worktree; `None` if it is another user's. The same holds for the next field.
    pub worktree_path: Option<PathBuf>,
    /// The environment's instance ID, which distinguishes it from others of its worktree.
    pub instance_id: Option<String>,
}

/// A process that has a socket on a port, or took its lease, as `who --json` shows it.
///
/// [`PortSummary`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HolderSummary {
    /// Its process ID; that of a mere lease holder is from its own PID namespace.
    pub pid: u32,
    /// The name of its program, if this process can read it.
    pub name: Option<String>,
    /// Its command line, if it has a socket on the port; the same holds for the next two fields.
    pub command: Option<String>,
    /// The name or number of the user it runs as.
    pub user: Option<String>,
    /// When it started.
    pub started_at: Option<Timestamp>,
    /// Whether it took the lease.
    pub leased: bool,
    /// Whether clients can reach it.
    pub listening: bool,
}

impl From<&PortReport> for PortSummary {
    fn from(report: &PortReport) -> Self {
        Self {
            port: report.port,
            message: report.to_string(),
            in_use: report.is_in_use(),
            claim: PortClaim::of(report),
            sockets: report.sockets.clone(),
            holders: report.holders().into_iter().map(HolderSummary::from).collect(),
            complete: report.complete,
        }
    }
}

impl PortClaim {
    fn of(report: &PortReport) -> Option<Self> {
        let (lifetime, holder, id, since) = match &report.usage {
            PortUsage::Held { holder, id, since } => (Lifetime::Held, holder.clone(), *id, *since),
            PortUsage::Kept { id, since } => (Lifetime::Kept, None, Some(*id), Some(*since)),
            PortUsage::Free | PortUsage::Bound { .. } | PortUsage::Denied => return None,
        };
        let record = report.record.as_deref();
        Some(Self {
            lifetime: lifetime.as_str(),
            holder,
            isolation_id: id.map(|id| id.to_string()),
            since,
            worktree_path: record.map(|record| record.worktree_path.clone()),
            instance_id: record.map(|record| record.instance_id.clone()),
        })
    }
}

impl From<PortHolder> for HolderSummary {
    fn from(holder: PortHolder) -> Self {
        let PortHolder { pid, name, process, leased, listening } = holder;
        let (mut command, mut user, mut started_at) = (None, None, None);
        if let Some(process) = process {
            command = Some(process.command);
            user = Some(process.user_name.unwrap_or_else(|| process.user_id.to_string()));
            started_at = Some(process.started_at);
        }
        Self { pid, name, command, user, started_at, leased, listening }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::who::ProcessInfo;

    const SINCE: Timestamp = Timestamp::from_unix_ms(1_769_853_720_123);

    fn summary(usage: PortUsage, sockets: Vec<SocketInfo>) -> PortSummary {
        PortSummary::from(&PortReport { port: 8080, usage, record: None, taken_at: None, sockets, complete: true })
    }

    #[test]
    fn a_held_port_shows_its_lease_and_whoever_is_on_it() {
        let process = ProcessInfo {
            pid: 4,
            name: "web".to_owned(),
            command: "web --fast".to_owned(),
            user_id: 7,
            user_name: None,
            started_at: SINCE,
            is_this: false,
        };
        let socket = SocketInfo {
            protocol: "tcp",
            local: "127.0.0.1:8080".parse().unwrap(),
            remote: None,
            state: "listen",
            user_id: Some(7),
            processes: vec![process],
            hidden: None,
        };
        let holder = Some(Holder { pid: 9, name: None, ended: false });
        let seen = summary(PortUsage::Held { holder, id: None, since: Some(SINCE) }, vec![socket]);
        let claim = seen.claim.unwrap();
        assert_eq!(
            (claim.lifetime, claim.holder, claim.isolation_id),
            ("held", Some(Holder { pid: 9, name: None, ended: false }), None)
        );
        assert_eq!((claim.since, claim.worktree_path, claim.instance_id), (Some(SINCE), None, None));
        assert!(seen.in_use);
        assert_eq!(seen.sockets[0].processes[0].pid, 4);
        let [server, leaser] = seen.holders.as_slice() else { panic!("{:?}", seen.holders) };
        assert_eq!((server.pid, server.user.as_deref(), server.started_at), (4, Some("7"), Some(SINCE)));
        assert_eq!((server.command.as_deref(), server.leased, server.listening), (Some("web --fast"), false, true));
        assert_eq!((leaser.pid, leaser.user.as_deref(), leaser.started_at), (9, None, None));
        assert_eq!((leaser.command.as_deref(), leaser.leased, leaser.listening), (None, true, false));
    }

    #[test]
    fn a_kept_port_names_no_process() {
        let seen = summary(PortUsage::Kept { id: "0123456789ab".parse().unwrap(), since: SINCE }, Vec::new());
        let claim = seen.claim.unwrap();
        assert_eq!((claim.lifetime, claim.holder), ("kept", None));
        assert_eq!(claim.isolation_id.as_deref(), Some("0123456789ab"));
        assert!(!seen.in_use && seen.holders.is_empty());
    }

    #[test]
    fn nobody_claims_what_is_not_leased() {
        for usage in [PortUsage::Free, PortUsage::Bound { protocol: "udp" }, PortUsage::Denied] {
            assert_eq!(summary(usage, Vec::new()).claim, None);
        }
    }
}
