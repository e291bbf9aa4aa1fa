//! Locks the ports of what a cleanup removes, or says who holds them.

use std::convert::Infallible;
use std::time::Duration;

use super::candidate::Candidate;
use super::request::Selection;
use crate::backoff::Backoff;
use crate::environment::status::may_be_of;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::port_state::Holder;
use crate::registry::{ByteLock, Claim, PortsFile, RangeLock, Registry, environment_byte};
use crate::sys::{self, CloseWatch, Liveness, Lock, ProcessStamp};
use crate::worktree::{Key, lock as worktree_lock};

/// How long a cleanup waits for a lock that does not belong to a lease: that of a process that checks a port, or of
/// another cleanup of the same environment.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Locks the ports that still belong to the environment. `in_use` if a live process holds them.
pub(super) fn lock<'a>(
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

/// Locks the worktree of an environment. One that killed processes left is not waited for.
pub(super) fn lock_worktree<'a>(
    registry: &Registry,
    ports: &'a PortsFile,
    key: &Key,
    selection: &Selection,
) -> Result<ByteLock<'a>> {
    let patience = if *selection == Selection::Abandoned { Duration::ZERO } else { LOCK_PATIENCE };
    match worktree_lock(registry, ports, key, patience, || Ok(None::<Infallible>))? {
        Ok(lock) => Ok(lock),
        Err(never) => match never {},
    }
}

/// Locks an environment itself. `in_use` if a command that was given it by [`hold`](crate::Environment::hold) runs.
pub(super) fn lock_environment<'a>(
    registry: &Registry,
    ports: &'a PortsFile,
    id: IsolationId,
    selection: &Selection,
) -> Result<ByteLock<'a>> {
    // On a loaded machine the kernel takes time to release a dead process's locks.
    let patience = if *selection == Selection::Abandoned { Duration::ZERO } else { LOCK_PATIENCE / 50 };
    let mut backoff = Backoff::steady(patience);
    let mut watch = None;
    loop {
        if let Some(lock) = ports.try_lock_byte(environment_byte(id))? {
            return Ok(lock);
        }
        let Some(pause) = backoff.next() else { return Err(used(registry, id)) };
        let watch = watch.get_or_insert_with(|| CloseWatch::new(registry.ports_path()));
        watch.wait(pause).map_err(|error| Error::os("cannot wait for a lock", error))?;
    }
}

/// The error of an environment that commands use.
pub(crate) fn used(registry: &Registry, id: IsolationId) -> Error {
    let file = sys::entry(registry.ports_path()).ok().flatten().map(|entry| entry.id).unwrap_or_default();
    let holders = sys::lock_holders(Lock { file, byte: environment_byte(id) });
    let name = |pid: u32| Some(format!("PID {pid} ({})", sys::process_name(pid)?));
    let named: Vec<String> = holders.into_iter().filter_map(name).collect();
    let by = match named.as_slice() {
        [] => "a command that `portalloc exec` started, or by what that has started".to_owned(),
        named => named.join(", "),
    };
    Error::new(
        ErrorCode::InUse,
        format!("the environment {id} is in use by {by}"),
        "end it first; `portalloc down` ends the servers on its ports",
    )
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
