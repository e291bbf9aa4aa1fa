//! Whether an environment is alive, and if not, why. Reasons are values, and shown to the user.

use std::fmt;
use std::path::PathBuf;

use crate::error::Result;
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::registry::{ClaimEnd, LabelState, Lifetime, PortsFile, Record, Registry, Slot, Stored};
use crate::sys::{self, ProcessStamp};
use crate::time::Timestamp;

/// Whether an environment is alive.
///
/// ```
/// use portalloc::environment::Status;
///
/// assert_eq!(Status::Active.as_str(), "active");
/// assert!(!Status::Damaged(vec![20001]).is_stale());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It is alive and has its ports.
    Active,
    /// It has ended; `cleanup --stale` removes its leftovers.
    Stale(StaleReason),
    /// It is alive, but the labels of these ports are missing, so the ports might be leased to others. `reconcile`
    /// repairs this.
    Damaged(Vec<u16>),
}

/// Why an environment has ended.
///
/// ```
/// use portalloc::environment::StaleReason;
///
/// let reason = StaleReason::OwnerEnded(4242);
/// assert_eq!(reason.as_str(), "owner_ended");
/// println!("it is stale: {reason}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StaleReason {
    /// A held environment: the process that held it, which had this PID, and all processes that inherited the lease
    /// have ended.
    HolderGone(u32),
    /// Its TTL ended.
    Expired(Timestamp),
    /// The owner, which had this PID, has ended.
    OwnerEnded(u32),
    /// Its worktree no longer exists. Its ports stay reserved until an explicit cleanup.
    WorktreeMissing(PathBuf),
    /// These of its ports have been leased to others.
    PortsTaken(Vec<u16>),
    /// The process that was creating it, which had this PID, died.
    Unfinished(u32),
    /// Its record is not readable, and why.
    RecordBroken(String),
}

impl Status {
    /// `active`, `stale` or `damaged`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Stale(_) => "stale",
            Self::Damaged(_) => "damaged",
        }
    }

    /// Whether a cleanup of stale environments removes it.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale(_))
    }

    /// Why it is not active, as a phrase.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Active => None,
            Self::Stale(reason) => Some(reason.to_string()),
            Self::Damaged(ports) => Some(format!("labels of {} are missing: reconcile", list(ports))),
        }
    }
}

impl StaleReason {
    /// A stable word for programs, such as `expired`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::HolderGone(_) => "holder_gone",
            Self::Expired(_) => "expired",
            Self::OwnerEnded(_) => "owner_ended",
            Self::WorktreeMissing(_) => "worktree_missing",
            Self::PortsTaken(_) => "ports_taken",
            Self::Unfinished(_) => "unfinished",
            Self::RecordBroken(_) => "record_broken",
        }
    }
}

impl From<ClaimEnd> for StaleReason {
    fn from(end: ClaimEnd) -> Self {
        match end {
            ClaimEnd::Expired(at) => Self::Expired(at),
            ClaimEnd::OwnerEnded(pid) => Self::OwnerEnded(pid),
        }
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HolderGone(pid) => write!(f, "its holder, PID {pid}, is gone"),
            Self::Expired(at) => write!(f, "its TTL ended at {at}"),
            Self::OwnerEnded(pid) => write!(f, "its owner, PID {pid}, has ended"),
            Self::WorktreeMissing(path) => write!(f, "its worktree {} is gone", path.display()),
            Self::PortsTaken(ports) => write!(f, "others have leased its {}", list(ports)),
            Self::Unfinished(pid) => write!(f, "its maker, PID {pid}, died while making it"),
            Self::RecordBroken(why) => f.write_str(why),
        }
    }
}

/// "port 5", "ports 5, 6 and 3 more".
fn list(ports: &[u16]) -> String {
    let shown: Vec<String> = ports.iter().take(5).map(ToString::to_string).collect();
    let more = ports.len() - shown.len();
    let plural = if ports.len() == 1 { "port" } else { "ports" };
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{plural} {}{rest}", shown.join(", "))
}

/// Whether the environment `id` may be alive. One that cannot be judged, such as another user's, may be.
pub(super) fn lives(registry: &Registry, id: IsolationId) -> Result<bool> {
    // step: ReadItsRecord
    Ok(match registry.records().read(id)? {
        // A directory that replaced the opened one may contain a record.
        Stored::Missing => !registry.records().is_in_place(),
        Stored::Broken(_) => false,
        Stored::Foreign(_) => true,
        Stored::Record(record) => !judge(registry, &registry.ports()?, &record, &registry.process()?)?.is_stale(),
    })
}

/// Whether an environment is as it should be: kept, finished, with all of its labels, and with nothing about it that takes
/// more to judge. For most environments this saves finding out which process this is.
pub(super) fn is_surely_active(registry: &Registry, ports: &PortsFile, record: &Record) -> Result<bool> {
    if record.lifetime != Lifetime::Kept
        || record.is_unfinished
        || record.owner.is_some()
        || record.expires_at.is_some()
    {
        return Ok(false);
    }
    let is_own =
        |slot: Slot| slot.label().is_some_and(|label| label.is_kept() && label.id == Some(record.isolation_id));
    let has_all = ports.read_each(&record.ports.ports)?.into_iter().all(|(_, slot)| is_own(slot));
    Ok(has_all && !worktree_is_missing(registry, record))
}

/// Judges an environment by its record, labels and locks, through an open file description that has no locks of its
/// own.
///
/// Nothing is locked, so the environment may change meanwhile: its creation may finish, and then a released lock does
/// not mean that its creator died. A result of "stale" is valid only if the record is still the same.
pub(super) fn judge(registry: &Registry, ports: &PortsFile, record: &Record, here: &ProcessStamp) -> Result<Status> {
    let status = match record.lifetime {
        Lifetime::Held if any_locked(ports, record)? => Status::Active,
        Lifetime::Held => Status::Stale(StaleReason::HolderGone(record.holder.pid)),
        Lifetime::Kept => judge_kept(registry, ports, record, here)?,
    };
    if status.is_stale()
        // step: JudgeAgain
        && let Stored::Record(now) = registry.records().read(record.isolation_id)?
        && (now.lifetime, now.is_unfinished) != (record.lifetime, record.is_unfinished)
    {
        return judge(registry, ports, &now, here);
    }
    Ok(status)
}

/// Whether a slot may belong to the environment, because it names no other one. A live lock counts even if the label is
/// damaged.
pub(super) fn may_be_of(slot: Slot, id: IsolationId) -> bool {
    slot.label().is_none_or(|label| label.id == Some(id))
}

fn judge_kept(registry: &Registry, ports: &PortsFile, record: &Record, here: &ProcessStamp) -> Result<Status> {
    if record.is_unfinished {
        // Whatever its labels say: its creator is still working, or died before confirming them.
        // step: JudgeLocks
        return Ok(match any_locked(ports, record)? {
            true => Status::Active,
            false => Status::Stale(StaleReason::Unfinished(record.holder.pid)),
        });
    }
    // step: JudgeEnd
    if let Some(end) = record.claim().end(here) {
        return Ok(Status::Stale(end.into()));
    }
    let (mut missing, mut taken) = (Vec::new(), Vec::new());
    // step: JudgeReadClaims
    for (port, slot) in ports.read_each(&record.ports.ports)? {
        // step: JudgeOthersLock
        let locked = || ports.conflict(PortRange::one(port)).map(|lock| lock.is_some());
        match slot.label() {
            Some(label) if label.id == Some(record.isolation_id) => {
                if !label.is_kept() {
                    missing.push(port);
                }
            }
            // step: JudgeStanding
            Some(_) if locked()? || matches!(registry.standing(ports, port, slot, here)?, LabelState::Kept(_)) => {
                taken.push(port);
            }
            _ => missing.push(port),
        }
    }
    if !taken.is_empty() {
        return Ok(Status::Stale(StaleReason::PortsTaken(taken)));
    }
    if worktree_is_missing(registry, record) {
        return Ok(Status::Stale(StaleReason::WorktreeMissing(record.worktree_path.clone())));
    }
    Ok(if missing.is_empty() { Status::Active } else { Status::Damaged(missing) })
}

/// Whether the process that created it, or one that inherited the lease, still holds the ports.
fn any_locked(ports: &PortsFile, record: &Record) -> Result<bool> {
    // step: JudgeReadLabels
    for (port, slot) in ports.read_each(&record.ports.ports)? {
        // step: JudgeLook
        if may_be_of(slot, record.isolation_id) && ports.conflict(PortRange::one(port))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Judged only where paths mean the same as for the creator.
fn worktree_is_missing(registry: &Registry, record: &Record) -> bool {
    record.mount_namespace == registry.mount_namespace() && matches!(sys::entry(&record.worktree_path), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_carry_their_values() {
        assert_eq!(StaleReason::PortsTaken(vec![7]).to_string(), "others have leased its port 7");
        assert_eq!(list(&[1, 2, 3, 4, 5, 6, 7]), "ports 1, 2, 3, 4, 5 and 2 more");
        assert_eq!(Status::Active.reason(), None);
    }

    #[test]
    fn nothing_is_dead_for_whoever_has_a_removed_registry_open() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("registry");
        let registry = Registry::open(Some(directory.clone())).unwrap();
        let id = "0123456789ab".parse().unwrap();
        assert!(!lives(&registry, id).unwrap());
        std::fs::rename(&directory, scratch.path().join("away")).unwrap();
        assert!(lives(&registry, id).unwrap());
        let new = Registry::open(Some(directory)).unwrap();
        assert!(lives(&registry, id).unwrap() && !lives(&new, id).unwrap());
    }
}
