//! Removes environments: locks the ports, removes the files, and clears the labels last.

mod candidate;
mod lock;
mod request;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use log::debug;
use rand::RngExt;

use super::listed_blocks::remove_blocks;
use super::temp_dir;
use super::traces;
pub use super::traces::{CleanupOutcome, Leftover};
use super::worktree;
use crate::allocator::Allocator;
use crate::error::Result;
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::registry::{PortsFile, RangeLock, Registry, Slot, Stored};
use crate::worktree::{Index, Key};
use candidate::{Candidate, candidate};
pub(crate) use lock::used;
use lock::{lock, lock_environment, lock_worktree};
pub use request::{Cleanup, CleanupReport, Reason, Removed, Selection, Skipped};

/// How many environments a limited cleanup looks at for each one that it may remove.
const LOOKS: usize = 4;

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
        report.removed.extend(remove(registry, id, &cleanup.selection, worktree.as_deref(), Locked::default())?);
        return Ok(report);
    }
    let start = Instant::now();
    let mut ids = registry.records().ids()?;
    if let (Some(_), Some(last)) = (cleanup.limit, ids.len().checked_sub(1)) {
        ids.rotate_left(registry.random()?.random_range(0..=last));
    }
    let (count, time) = cleanup.limit.unwrap_or((usize::MAX, Duration::MAX));
    for (looked, id) in ids.into_iter().enumerate() {
        if report.removed.len() >= count || looked >= count.saturating_mul(LOOKS) || start.elapsed() >= time {
            break;
        }
        if cleanup.selection == Selection::Abandoned && !may_be_abandoned(registry, id) {
            continue;
        }
        match remove(registry, id, &cleanup.selection, worktree.as_deref(), Locked::default()) {
            Ok(removed) => report.removed.extend(removed),
            Err(error) => report.skipped.push(Skipped { id, error }),
        }
    }
    if cleanup.selection == Selection::Stale && worktree.is_none() {
        report.swept.extend(registry.sweep_unfinished());
        report.swept.extend(Index::sweep(registry)?);
        report.swept.extend(registry.sweep_namespaces());
        report.swept.extend(temp_dir::sweep(registry)?);
    }
    Ok(report)
}

/// The path of a worktree as records store it. A worktree that no longer exists cannot be resolved, but its
/// environments must be found.
fn resolve(path: &Path) -> PathBuf {
    worktree::directory(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Which locks the caller has already.
#[derive(Clone, Copy, Default)]
pub(crate) struct Locked {
    /// That of the environment's worktree.
    pub(crate) worktree: bool,
    /// That of the environment itself, which nobody uses.
    pub(crate) environment: bool,
}

/// Whether an environment ends with its holder or its maker. Most are kept and finished, which takes no look at labels, locks
/// or worktrees to see.
fn may_be_abandoned(registry: &Registry, id: IsolationId) -> bool {
    match registry.records().read(id) {
        Ok(Stored::Record(record)) => !record.claims_by_labels(),
        Ok(_) => false,
        Err(_) => true,
    }
}

/// Removes one environment if it is selected. `None` if it does not exist or is not selected.
///
/// Locks are taken in this order: the worktree's, as a process that makes or repairs its environment has it; the ports'; the
/// environment's, which the commands that use it share.
pub(crate) fn remove(
    registry: &Registry,
    id: IsolationId,
    selection: &Selection,
    worktree: Option<&Path>,
    locked: Locked,
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
        let index = candidate.index(registry)?;
        let _worktree = match &index {
            Some(key) if !locked.worktree => Some(lock_worktree(registry, &ports, key, selection)?),
            _ => None,
        };
        // step: LockCandidate
        let locks = lock(registry, &ports, &candidate, selection, &here)?;
        let in_use = if locked.environment { None } else { Some(lock_environment(registry, &ports, id, selection)?) };
        // The environment may have changed before it was locked: its creation may just have finished.
        // step: CleanStillStands
        let stands = candidate.file.as_ref().is_none_or(|file| registry.records().still_stands(file));
        let done = (stands && candidate.index(registry)? == index).then(|| {
            // step: SelectAgain
            match candidate.select(registry, &ports, selection, worktree, &here)? {
                // step: RemoveLocked
                Some(reason) => remove_locked(registry, &ports, &candidate, &locks, index.as_ref(), reason).map(Some),
                // step: CleanLeave
                None => Ok(None),
            }
        });
        // Before closing, so that a process that waits for the close finds the ports free.
        // step: CleanUnlockAgain, CleanUnlock
        drop((locks, in_use));
        if let Some(done) = done {
            return done;
        }
    }
}

/// Removes an environment whose ports are locked; and whose worktree is, if it is that of a worktree.
fn remove_locked(
    registry: &Registry,
    ports: &PortsFile,
    candidate: &Candidate,
    locks: &[RangeLock<'_>],
    index: Option<&Key>,
    reason: Reason,
) -> Result<Removed> {
    let id = candidate.id;
    let blocks_left = match index {
        // What is written into files of the worktree goes first, while a record and the index name it.
        Some(key) => remove_blocks(registry, key)?,
        None => Vec::new(),
    };
    let mut traces = match &candidate.record {
        Ok(record) => {
            // step: RemoveTraces
            let traces = traces::remove(registry, record).into_result()?;
            // The other name may exist, too.
            registry.records().remove_other(id, record.is_unfinished)?;
            traces
        }
        Err(_) => {
            registry.records().remove_both(id)?;
            CleanupOutcome::default()
        }
    };
    traces.left.extend(blocks_left);
    if let Some(key) = index {
        // An index without a record is none, so it can be the last.
        Index::remove(registry, key)?;
    }
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
