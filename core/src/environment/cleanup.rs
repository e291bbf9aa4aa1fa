//! Removes environments: locks the ports, removes the files, and clears the labels last.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::RngExt;

use log::debug;

use super::status::{self, StaleReason, Status, may_be_of};
use super::temp_dir;
use super::traces;
pub use super::traces::{CleanupOutcome, Leftover};
use super::worktree::worktree;
use crate::allocator::Allocator;
use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::port_state::Holder;
use crate::registry::{Claim, Lifetime, OpenRecord, PortsFile, RangeLock, Record, Registry, Slot, Stored};
use crate::sys::{CloseWatch, Liveness, ProcessStamp};

/// Which environments to remove.
///
/// ```
/// use std::time::Duration;
/// use portalloc::cleanup::{Cleanup, Selection};
///
/// let old = Cleanup::new(Selection::OlderThan(Duration::from_secs(2 * 60 * 60)));
/// # drop(old);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The environment with this ID, kept or stale.
    Id(IsolationId),
    /// All kept and stale environments of this user.
    All,
    /// All stale environments of this user, and the leftovers of crashes.
    Stale,
    /// What killed processes of this user left: environments that nobody holds any more, or that their maker did not
    /// finish. Only those of this mount namespace, and only those whose ports no other process is looking at, because
    /// this waits for no lock.
    Abandoned,
    /// All kept and stale environments of this user that were created longer ago than this.
    OlderThan(Duration),
}

/// The environments to clean up.
///
/// ```
/// use portalloc::cleanup::{Cleanup, Selection};
/// use portalloc::EnvironmentRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().kept())?;
/// let report = allocator.cleanup(&Cleanup::new(Selection::Id(environment.id())))?;
/// assert_eq!(report.removed[0].ports, environment.ports());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Cleanup {
    selection: Selection,
    worktree: Option<PathBuf>,
    limit: Option<(usize, Duration)>,
}

/// Why an environment was removed.
///
/// [`CleanupReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The caller named it, or selected all.
    Asked,
    /// It was stale.
    Stale(StaleReason),
    /// It was this old, older than the limit.
    Older(Duration),
}

/// An environment that was removed.
///
/// [`CleanupReport`] has an example.
#[derive(Debug)]
pub struct Removed {
    /// Its ID.
    pub id: IsolationId,
    /// Why it was removed.
    pub reason: Reason,
    /// Those of its ports that still belonged to it.
    pub ports: Vec<u16>,
    /// What was removed and what was left.
    pub traces: CleanupOutcome,
}

/// A selected environment that could not be removed.
///
/// [`CleanupReport`] has an example.
#[derive(Debug)]
pub struct Skipped {
    /// Its ID.
    pub id: IsolationId,
    /// Why it could not be removed.
    pub error: Error,
}

/// The result of a cleanup.
///
/// ```
/// use portalloc::cleanup::{Cleanup, Selection};
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let report = allocator.cleanup(&Cleanup::new(Selection::Stale))?.strict()?;
/// assert!(report.removed.is_empty(), "nothing is stale");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct CleanupReport {
    /// The environments that were removed.
    pub removed: Vec<Removed>,
    /// The environments that could not be removed.
    pub skipped: Vec<Skipped>,
    /// Temp directories and unfinished files that belonged to no environment.
    pub swept: Vec<PathBuf>,
}

impl CleanupReport {
    /// Returns the report if nothing was skipped, else the first error. By then everything else has been removed.
    ///
    /// # Errors
    /// The error of the first environment that could not be removed.
    pub fn strict(mut self) -> Result<Self> {
        if self.skipped.is_empty() { Ok(self) } else { Err(self.skipped.swap_remove(0).error) }
    }
}

impl Cleanup {
    /// A cleanup of these environments.
    pub fn new(selection: Selection) -> Self {
        Self { selection, worktree: None, limit: None }
    }

    /// Limits the cleanup to the environments of this worktree.
    pub fn worktree(mut self, path: impl Into<PathBuf>) -> Self {
        self.worktree = Some(path.into());
        self
    }

    /// Removes at most `count` environments, and begins with none once this much time has passed. It begins at a random
    /// one, so that calls that each get through a few get through all.
    pub fn limit(mut self, count: usize, time: Duration) -> Self {
        self.limit = Some((count, time));
        self
    }
}

impl Allocator {
    /// Removes environments: their temp directories, env files and records; their ports may then be leased again. Works
    /// from any directory. An environment that no longer exists is not an error. May block for up to five seconds per
    /// environment whose lock another process is about to release.
    ///
    /// # Errors
    /// For one ID: `in_use` if a live process holds the environment, `permission_denied` if it belongs to another user,
    /// and any error that prevents its removal. For other selections such errors are in the report, and the rest is
    /// removed.
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
    let start = Instant::now();
    let mut ids = registry.records().ids()?;
    if let (Some(_), Some(last)) = (cleanup.limit, ids.len().checked_sub(1)) {
        ids.rotate_left(registry.random()?.random_range(0..=last));
    }
    for id in ids {
        if cleanup.limit.is_some_and(|(count, time)| report.removed.len() >= count || start.elapsed() >= time) {
            break;
        }
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

/// The path of a worktree as records store it. A worktree that no longer exists cannot be resolved, but its
/// environments must be found.
fn resolve(path: &Path) -> PathBuf {
    worktree(Some(path)).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Removes one environment if it is selected. `None` if it does not exist or is not selected.
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
        // A first check without the lock, because most environments are not selected, and should not be disturbed.
        if !matches!(selection, Selection::Id(_))
            // step: SelectBefore
            && candidate.select(registry, &ports, selection, worktree, &here)?.is_none()
        {
            return Ok(None);
        }
        // step: LockCandidate
        let locks = lock(registry, &ports, &candidate, selection, &here)?;
        // The environment may have changed before it was locked: its creation may just have finished.
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
        // Before closing, so that a process that waits for the close finds the ports free.
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
        Err(_) => CleanupOutcome::default(),
    };
    // The other name may exist, too.
    registry.records().remove_both(id)?;
    let mut freed = Vec::new();
    for range in locks.iter().map(RangeLock::range) {
        // step: CleanReadAgain
        freed.extend(ports.labelled(range, id)?);
    }
    for range in PortRange::covering(&freed) {
        // step: CleanClear
        ports.write(range, Slot::Empty)?;
    }
    debug!("removed environment {id}");
    Ok(Removed { id, reason, ports: freed, traces })
}

/// A candidate for removal.
struct Candidate {
    id: IsolationId,
    /// The record, or why it is not readable.
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
            let labelled = ports.labelled(PortRange::ALL, id)?;
            Some(Candidate { id, record: Err(why), file, ports: labelled })
        }
        stored => {
            let record = registry.records().require_read(id, stored)?;
            Some(Candidate { id, ports: record.ports.ports.clone(), record: Ok(record), file })
        }
    })
}

impl Candidate {
    /// Why it is to be removed; `None` if it is not selected.
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
            Selection::Abandoned => {
                let is_here = record.is_some_and(|record| record.mount_namespace == registry.mount_namespace());
                let abandoned =
                    |why: &StaleReason| matches!(why, StaleReason::HolderGone(_) | StaleReason::Unfinished(_));
                stale.filter(|why| is_here && abandoned(why)).map(Reason::Stale)
            }
            // A live held environment belongs to its holder, and ends with that process.
            _ if live_held => None,
            Selection::Id(_) | Selection::All => Some(stale.map_or(Reason::Asked, Reason::Stale)),
            Selection::OlderThan(age) => {
                let old = record.is_none_or(|record| record.created_at.age() > *age);
                old.then_some(Reason::Older(*age))
            }
        })
    }
}

/// How long a cleanup waits for a lock that does not belong to a lease: that of a process that checks a port, or of
/// another cleanup of the same environment.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Locks the ports that still belong to the environment. `in_use` if a live process holds them.
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
        let holder_runs = holder.is_some_and(|holder| holder != *here && holder.judge(here) != Liveness::Ended);
        // If the holder has ended or is this process, processes that inherited its lease may be about to end; and on a
        // loaded machine the kernel takes time to release a dead process's locks.
        let patience = match holder {
            Some(holder) if holder == *here => LOCK_PATIENCE / 50,
            Some(_) => LOCK_PATIENCE / 5,
            None => LOCK_PATIENCE,
        };
        // A bulk cleanup has just seen the environment unheld, so a refused lock belongs to a dying holder, or to a
        // process about to finish creating the environment: keep waiting.
        let is_final = match selection {
            Selection::Id(_) => holder_runs,
            Selection::Abandoned => true,
            _ => false,
        };
        let pause = backoff.next().filter(|_| !is_final && backoff.deadline.waited() < patience);
        let Some(pause) = pause else { return Err(in_use(candidate.id, refused, holder, here)) };
        let watch = watch.get_or_insert_with(|| CloseWatch::new(registry.ports_path()));
        watch.wait(pause).map_err(|error| Error::os("cannot wait for a lock", error))?;
    }
}

/// Locks all of `ranges`; or none, and returns the one that was refused.
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
        Some(holder) if holder.judge(here) == Liveness::Ended => {
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
