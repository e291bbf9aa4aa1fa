//! Removing environments: the ports are locked first, the traces removed, and the labels cleared last.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::create::worktree;
use super::status::{self, StaleReason, Status, may_be_of};
use super::temp_dir;
use super::traces::{self, Traces};
use crate::allocator::Allocator;
use crate::check::Holder;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::pool::PortRange;
use crate::registry::{Claim, Lifetime, PortsFile, Record, Registry, Slot, Stored};
use crate::sys::{CloseWatch, Judgement, ProcessStamp};

/// Which environments to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// This one, kept or stale.
    Id(IsolationId),
    /// Every kept and every stale one of this user.
    All,
    /// Every stale one of this user, and what crashes have left.
    Stale,
    /// Every kept one of this user that was made longer ago than this, and every stale one as old.
    OlderThan(Duration),
}

/// A cleanup to do.
#[derive(Clone, Debug)]
#[must_use]
pub struct Cleanup {
    selection: Selection,
    worktree: Option<PathBuf>,
}

/// Why an environment was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// It was stale.
    Stale(StaleReason),
    /// It was older than asked for.
    Older(Duration),
}

/// An environment that was removed.
#[derive(Debug)]
pub struct Removed {
    /// Its ID.
    pub id: IsolationId,
    /// Why.
    pub reason: Reason,
    /// Its ports, as far as they were still its own.
    pub ports: Vec<u16>,
    /// What was removed of it, and what was left.
    pub traces: Traces,
}

/// An environment that was not removed though selected.
#[derive(Debug)]
pub struct Skipped {
    /// Its ID.
    pub id: IsolationId,
    /// Why.
    pub error: Error,
}

/// What a cleanup did.
#[derive(Debug, Default)]
pub struct CleanupReport {
    /// The environments removed.
    pub removed: Vec<Removed>,
    /// The environments that could not be.
    pub skipped: Vec<Skipped>,
    /// Temp dirs and unfinished files that belonged to no environment.
    pub swept: Vec<PathBuf>,
}

impl Cleanup {
    /// Of these environments.
    pub fn new(selection: Selection) -> Self {
        Self { selection, worktree: None }
    }

    /// Only those of this work tree.
    pub fn worktree(mut self, path: impl Into<PathBuf>) -> Self {
        self.worktree = Some(path.into());
        self
    }
}

impl Allocator {
    /// Removes environments: their temp dirs, env files and records; their ports may then be leased again. From any
    /// folder; what is gone already is no error.
    ///
    /// # Errors
    /// For one ID: `in_use` if a live process holds it, `permission_denied` if it is another user's, and whatever
    /// keeps it from being removed. For others such errors are in the report, and the rest is removed.
    pub fn cleanup(&self, cleanup: &Cleanup) -> Result<CleanupReport> {
        let registry = &self.registry;
        let worktree = cleanup.worktree.as_deref().map(resolve);
        let mut report = CleanupReport::default();
        if let Selection::Id(id) = cleanup.selection {
            report.removed.extend(remove(registry, id, &cleanup.selection, worktree.as_deref())?);
            return Ok(report);
        }
        for id in registry.records().ids()? {
            match remove(registry, id, &cleanup.selection, worktree.as_deref()) {
                Ok(removed) => report.removed.extend(removed),
                Err(error) => report.skipped.push(Skipped { id, error }),
            }
        }
        if cleanup.selection == Selection::Stale && worktree.is_none() {
            report.swept.extend(registry.records().sweep_unfinished()?);
            report.swept.extend(temp_dir::sweep(registry)?);
        }
        Ok(report)
    }
}

/// A work tree as records name it; one that is gone cannot be resolved, and its environments are still to be found.
fn resolve(path: &Path) -> PathBuf {
    worktree(Some(path)).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Removes one environment, if it is selected. `None`: there is nothing to remove, or it is not selected.
pub(super) fn remove(
    registry: &Registry,
    id: IsolationId,
    selection: &Selection,
    worktree: Option<&Path>,
) -> Result<Option<Removed>> {
    let here = registry.process()?;
    let ports = registry.ports()?;
    let Some(candidate) = candidate(registry, &ports, id, &here, selection)? else { return Ok(None) };
    let Some(reason) = candidate.select(selection, worktree) else { return Ok(None) };
    let ranges = lock(registry, &ports, &candidate, &here)?;

    // Under the lock: nobody else makes, uses or removes it now. It may have gone or changed before.
    match registry.records().read(id)? {
        Stored::Missing => {}
        Stored::Broken(_) | Stored::Foreign(_) if candidate.record.is_some() => return Ok(None),
        _ => {}
    }
    let traces = match &candidate.record {
        Some(record) => traces::remove(registry, record).into_result()?,
        None => {
            registry.records().remove(id)?;
            Traces::default()
        }
    };
    let mut freed = Vec::new();
    for port in ranges.iter().flat_map(|range| range.ports()) {
        if ports.read_one(port)?.is_of(id) {
            ports.write(PortRange::one(port), Slot::Empty)?;
            freed.push(port);
        }
    }
    // Before closing, so that whoever waits and is told of the closing finds the ports free.
    ranges.iter().try_for_each(|range| ports.unlock(*range))?;
    Ok(Some(Removed { id, reason, ports: freed, traces }))
}

/// An environment that might be removed.
struct Candidate {
    id: IsolationId,
    /// None if it is not readable.
    record: Option<Box<Record>>,
    status: Status,
    ports: Vec<u16>,
}

fn candidate(
    registry: &Registry,
    ports: &PortsFile,
    id: IsolationId,
    here: &ProcessStamp,
    selection: &Selection,
) -> Result<Option<Candidate>> {
    Ok(match registry.records().read(id)? {
        Stored::Missing => None,
        Stored::Foreign(user) => match selection {
            Selection::Id(_) => {
                return Err(Error::new(
                    ErrorCode::PermissionDenied,
                    format!("the environment {id} belongs to user {user}"),
                    "clean it up as that user",
                ));
            }
            _ => None,
        },
        Stored::Broken(why) => {
            let slots = ports.read(PortRange::ALL)?;
            let labelled = PortRange::ALL.ports().zip(slots).filter(|(_, slot)| slot.is_of(id)).map(|(port, _)| port);
            Some(Candidate {
                id,
                record: None,
                status: Status::Stale(StaleReason::RecordBroken(why)),
                ports: labelled.collect(),
            })
        }
        Stored::Record(record) => {
            let status = status::judge(registry, ports, &record, here)?;
            Some(Candidate { id, ports: record.ports.ports.clone(), record: Some(record), status })
        }
    })
}

impl Candidate {
    /// Why it is to be removed, if it is.
    fn select(&self, selection: &Selection, worktree: Option<&Path>) -> Option<Reason> {
        if let Some(wanted) = worktree
            && self.record.as_ref().is_none_or(|record| record.worktree_path != wanted)
        {
            return None;
        }
        let stale = match &self.status {
            Status::Stale(reason) => Some(reason.clone()),
            _ => None,
        };
        let live_held = stale.is_none() && self.record.as_ref().is_some_and(|record| record.lifetime == Lifetime::Held);
        match selection {
            Selection::Id(_) => Some(stale.map_or(Reason::Asked, Reason::Stale)),
            Selection::Stale => stale.map(Reason::Stale),
            // A live held one is its holder's; whoever wants it gone ends the holder.
            _ if live_held => None,
            Selection::All => Some(stale.map_or(Reason::Asked, Reason::Stale)),
            Selection::OlderThan(age) => {
                let old = self.record.as_ref().is_none_or(|record| record.created_at.age() > *age);
                old.then_some(Reason::Older(*age))
            }
        }
    }
}

/// How long a cleanup waits for a lock that is not a lease's: of somebody who is looking at a port, or of another
/// cleanup of the same environment.
const PATIENCE: Duration = Duration::from_secs(5);

/// Locks the ports that are still the environment's. `in_use` if a live process holds them.
fn lock(registry: &Registry, ports: &PortsFile, candidate: &Candidate, here: &ProcessStamp) -> Result<Vec<PortRange>> {
    let start = Instant::now();
    let watch = CloseWatch::new(registry.ports_path());
    loop {
        let mut own: Vec<u16> = Vec::new();
        for port in candidate.ports.iter().copied() {
            if may_be_of(ports.read_one(port)?, candidate.id) {
                own.push(port);
            }
        }
        own.sort_unstable();
        let ranges = PortRange::covering(own);
        let Some(refused) = try_lock_all(ports, &ranges)? else { return Ok(ranges) };

        let slot = ports.read_one(refused.first())?;
        let holder = match slot.label().map(|label| label.claim) {
            Some(Claim::Held { holder }) if slot.is_of(candidate.id) => Some(holder),
            _ => None,
        };
        let holder_runs = holder.is_some_and(|holder| holder.judge(here) != Judgement::Ended);
        // A holder that ended may have passed its lease on; a look at a dead one's ports is over in no time.
        let patience = if holder.is_some() { PATIENCE / 50 } else { PATIENCE };
        if holder_runs || start.elapsed() > patience {
            return Err(in_use(candidate.id, refused, holder, here));
        }
        watch.wait(Duration::from_millis(1)).map_err(|error| Error::os("cannot wait for a lock", error))?;
    }
}

/// Locks all of `ranges`, or none and returns the one that was refused.
fn try_lock_all(ports: &PortsFile, ranges: &[PortRange]) -> Result<Option<PortRange>> {
    for (index, range) in ranges.iter().enumerate() {
        if !ports.try_lock(*range)? {
            let refused = ports.conflict(*range)?.and_then(|lock| lock.intersection(*range)).unwrap_or(*range);
            ranges.iter().take(index).try_for_each(|taken| ports.unlock(*taken))?;
            return Ok(Some(refused));
        }
    }
    Ok(None)
}

fn in_use(id: IsolationId, refused: PortRange, holder: Option<ProcessStamp>, here: &ProcessStamp) -> Error {
    let by = match holder {
        Some(holder) if holder.judge(here) == Judgement::Ended => {
            format!("a process that inherited it from PID {}, which has ended", holder.pid)
        }
        Some(holder) => Holder::of(holder, here).to_string(),
        None => "another process".to_owned(),
    };
    Error::new(
        ErrorCode::InUse,
        format!("the environment {id} is held by {by} (port {refused})"),
        "end that process: its environment ends with it",
    )
}
