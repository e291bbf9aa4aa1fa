//! Removing environments: the ports are locked first, the traces removed, and the labels cleared last.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::status::{self, StaleReason, Status, may_be_of};
use super::temp_dir;
use super::traces;
pub use super::traces::{Left, Traces};
use super::worktree::worktree;
use crate::allocator::Allocator;
use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::port_state::Holder;
use crate::registry::{Claim, Lifetime, OpenRecord, PortsFile, RangeLock, Record, Registry, Slot, Stored};
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

impl CleanupReport {
    /// The report, if nothing was skipped; else the first error, after all the rest was removed.
    ///
    /// # Errors
    /// That of the first environment that could not be removed.
    pub fn strict(mut self) -> Result<Self> {
        if self.skipped.is_empty() { Ok(self) } else { Err(self.skipped.swap_remove(0).error) }
    }
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
        self.in_checked_registry(|allocator| clean_up(&allocator.registry, cleanup))
    }
}

fn clean_up(registry: &Registry, cleanup: &Cleanup) -> Result<CleanupReport> {
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
        report.swept.extend(registry.sweep_unfinished());
        report.swept.extend(registry.sweep_namespaces());
        report.swept.extend(temp_dir::sweep(registry)?);
    }
    Ok(report)
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
    loop {
        // step: FindCandidate
        let Some(candidate) = candidate(registry, &ports, id, selection)? else { return Ok(None) };
        // A first look without the lock: most environments are none of those to remove, and are left in peace.
        if !matches!(selection, Selection::Id(_))
            // step: SelectBefore
            && candidate.select(registry, &ports, selection, worktree, &here)?.is_none()
        {
            return Ok(None);
        }
        // step: LockCandidate
        let locks = lock(registry, &ports, &candidate, selection, &here)?;
        // What was read before may have changed until the lock was there: its maker may just have finished it.
        // step: CleanStillStands
        let done = candidate.file.as_ref().is_none_or(|file| registry.records().still_stands(file)).then(|| {
            // step: SelectAgain
            match candidate.select(registry, &ports, selection, worktree, &here)? {
                // step: RemoveLocked
                Some(reason) => remove_locked(registry, &ports, &candidate, &locks, reason).map(Some),
                // step: CleanLeave
                None => Ok(None),
            }
        });
        // Before closing, so that whoever waits and is told of the closing finds the ports free.
        // step: CleanUnlockAgain, CleanUnlock
        drop(locks);
        if let Some(done) = done {
            return done;
        }
    }
}

/// Removes an environment whose ports are locked.
fn remove_locked(
    registry: &Registry,
    ports: &PortsFile,
    candidate: &Candidate,
    locks: &[RangeLock<'_>],
    reason: Reason,
) -> Result<Removed> {
    let id = candidate.id;
    let traces = match &candidate.record {
        // step: RemoveTraces
        Ok(record) => traces::remove(registry, record).into_result()?,
        Err(_) => Traces::default(),
    };
    // Somebody may have put one under the other name, too.
    registry.records().remove_both(id)?;
    let mut freed = Vec::new();
    for range in locks.iter().map(RangeLock::range) {
        // step: CleanReadAgain
        freed.extend(range.ports().zip(ports.read(range)?).filter(|(_, slot)| slot.is_of(id)).map(|(port, _)| port));
    }
    for range in PortRange::covering(&freed) {
        // step: CleanClear
        ports.write(range, Slot::Empty)?;
    }
    Ok(Removed { id, reason, ports: freed, traces })
}

/// An environment that might be removed.
struct Candidate {
    id: IsolationId,
    /// Or why it is not readable.
    record: std::result::Result<Box<Record>, String>,
    file: Option<OpenRecord>,
    ports: Vec<u16>,
}

fn candidate(
    registry: &Registry,
    ports: &PortsFile,
    id: IsolationId,
    selection: &Selection,
) -> Result<Option<Candidate>> {
    // step: CleanRead
    let (stored, file) = registry.records().read_open(id)?;
    Ok(match stored {
        Stored::Missing => None,
        Stored::Foreign(_) if !matches!(selection, Selection::Id(_)) => None,
        Stored::Broken(why) => {
            let slots = ports.read(PortRange::ALL)?;
            let labelled = PortRange::ALL.ports().zip(slots).filter(|(_, slot)| slot.is_of(id)).map(|(port, _)| port);
            Some(Candidate { id, record: Err(why), file, ports: labelled.collect() })
        }
        stored => {
            let record = registry.records().require_read(id, stored)?;
            Some(Candidate { id, ports: record.ports.ports.clone(), record: Ok(record), file })
        }
    })
}

impl Candidate {
    /// Why it is to be removed, if it is.
    fn select(
        &self,
        registry: &Registry,
        ports: &PortsFile,
        selection: &Selection,
        worktree: Option<&Path>,
        here: &ProcessStamp,
    ) -> Result<Option<Reason>> {
        let record = self.record.as_ref().ok();
        if worktree.is_some_and(|wanted| record.is_none_or(|record| record.worktree_path != wanted)) {
            return Ok(None);
        }
        if matches!(selection, Selection::Id(_)) {
            return Ok(Some(Reason::Asked));
        }
        let stale = match &self.record {
            Err(why) => Some(StaleReason::RecordBroken(why.clone())),
            Ok(record) => match status::judge(registry, ports, record, here)? {
                Status::Stale(reason) => Some(reason),
                _ => None,
            },
        };
        let live_held = stale.is_none() && record.is_some_and(|record| record.lifetime == Lifetime::Held);
        Ok(match selection {
            Selection::Stale => stale.map(Reason::Stale),
            // A live held one is its holder's; whoever wants it gone ends the holder.
            _ if live_held => None,
            Selection::Id(_) | Selection::All => Some(stale.map_or(Reason::Asked, Reason::Stale)),
            Selection::OlderThan(age) => {
                let old = record.is_none_or(|record| record.created_at.age() > *age);
                old.then_some(Reason::Older(*age))
            }
        })
    }
}

/// How long a cleanup waits for a lock that is not a lease's: of somebody who is looking at a port, or of another
/// cleanup of the same environment.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Locks the ports that are still the environment's. `in_use` if a live process holds them.
fn lock<'a>(
    registry: &Registry,
    ports: &'a PortsFile,
    candidate: &Candidate,
    selection: &Selection,
    here: &ProcessStamp,
) -> Result<Vec<RangeLock<'a>>> {
    let mut backoff = Backoff::steady(LOCK_PATIENCE);
    let mut watch = None;
    loop {
        // step: CleanReadLabels
        let slots = ports.read_each(&candidate.ports)?;
        let own = slots.into_iter().filter(|(_, slot)| may_be_of(*slot, candidate.id));
        let ranges = PortRange::covering(&own.map(|(port, _)| port).collect::<Vec<_>>());
        // step: CleanLock
        let refused = match try_lock_all(ports, &ranges)? {
            Ok(locks) => return Ok(locks),
            Err(refused) => refused,
        };

        let slot = ports.read_one(refused.first())?;
        let holder = match slot.label().map(|label| label.claim) {
            Some(Claim::Held { holder }) if slot.is_of(candidate.id) => Some(holder),
            _ => None,
        };
        let holder_runs = holder.is_some_and(|holder| holder != *here && holder.judge(here) != Judgement::Ended);
        // A holder that ended, or that is this process, may have passed its lease on to some that are about to end; and on a
        // busy machine the kernel takes its time to let go of a dead one's locks.
        let patience = match holder {
            Some(holder) if holder == *here => LOCK_PATIENCE / 50,
            Some(_) => LOCK_PATIENCE / 5,
            None => LOCK_PATIENCE,
        };
        // One that was not named was looked at just before, and was not held: its holder is dying while somebody tries its
        // ports, or its maker is about to finish it.
        let is_final = holder_runs && matches!(selection, Selection::Id(_));
        let pause = backoff.next().filter(|_| !is_final && backoff.deadline.waited() < patience);
        let Some(pause) = pause else { return Err(in_use(candidate.id, refused, holder, here)) };
        let watch = watch.get_or_insert_with(|| CloseWatch::new(registry.ports_path()));
        watch.wait(pause).map_err(|error| Error::os("cannot wait for a lock", error))?;
    }
}

/// Locks all of `ranges`, or none and says which one was refused.
fn try_lock_all<'a>(
    ports: &'a PortsFile,
    ranges: &[PortRange],
) -> Result<std::result::Result<Vec<RangeLock<'a>>, PortRange>> {
    let mut locks = Vec::with_capacity(ranges.len());
    for range in ranges {
        let Some(lock) = ports.try_lock(*range)? else {
            return Ok(Err(ports.conflict(*range)?.and_then(|lock| lock.intersection(*range)).unwrap_or(*range)));
        };
        locks.push(lock);
    }
    Ok(Ok(locks))
}

fn in_use(id: IsolationId, refused: PortRange, holder: Option<ProcessStamp>, here: &ProcessStamp) -> Error {
    let by = match holder {
        Some(holder) if holder.judge(here) == Judgement::Ended => {
            format!("a process that may have inherited it from PID {}, which has ended", holder.pid)
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
