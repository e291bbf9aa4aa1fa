//! Finding ports and taking their locks: a few quick tries, then one systematic search that misses no free run.
//! Knows registry, probe and pool; what becomes of the ports is up to lease.rs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;

use crate::check::{self, PortState, PortUsage};
use crate::error::{Error, Result};
use crate::pool::{self, Cursor, Pool, PortRange};
use crate::probe::{Occupancy, probe};
use crate::registry::{Claim, PortsFile, Registry, Slot, Standing};
use crate::sys::{Judgement, ProcessStamp};
use crate::time::Timestamp;

/// Tries before the search becomes systematic.
const QUICK_TRIES: usize = 4;

/// How long a lock without a live label may stand in the way before it counts as held. It is that of somebody who is
/// just probing, which takes microseconds, unless that process was stopped in the middle of it.
const PATIENCE: Duration = Duration::from_millis(50);

/// A search for ports, through one open file description, which keeps the locks of what was found.
pub(crate) struct Search<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) ports: &'a PortsFile,
    pub(crate) pool: &'a Pool,
    pub(crate) cursor: &'a Cursor,
    pub(crate) here: ProcessStamp,
    pub(crate) judged: Judged,
}

/// Why a run cannot be had.
enum Refusal {
    /// Somebody has the lock on a part of it.
    Locked,
    /// This port of it, the highest such, is kept or bound.
    Taken(u16),
}

/// How far a systematic pass came.
enum Pass {
    Found(PortRange),
    /// No run, and every obstacle is there to stay.
    Nothing,
    /// No run, but some obstacle was a lock that may be gone in a moment.
    Unsettled,
}

impl Search<'_> {
    /// Locks a free run of `count` ports of the pool. `None`: there is none.
    pub(crate) fn run(&self, count: usize, random: &mut SmallRng) -> Result<Option<PortRange>> {
        let found = self.any_run(count, random)?;
        if let Some(run) = found {
            self.cursor.pass(run);
        }
        Ok(found)
    }

    fn any_run(&self, count: usize, random: &mut SmallRng) -> Result<Option<PortRange>> {
        let ports = self.pool.ports();
        let next = self.cursor.next(ports, count);
        let bases = next.into_iter().chain(pool::random_bases(ports, count, random)).take(QUICK_TRIES);
        for (index, base) in bases.enumerate() {
            let Some(run) = window(base, count) else { continue };
            // In a full pool a look at the labels is far cheaper than a lock that is refused.
            if (index > 0 || self.cursor.is_crowded()) && !self.ports.is_empty(run)? {
                continue;
            }
            if self.try_run(run)?.is_ok() {
                self.cursor.set_crowded(index > 0);
                return Ok(Some(run));
            }
        }
        self.cursor.set_crowded(true);
        let areas = pool::rotated(ports, count, random);
        let start = Instant::now();
        loop {
            match self.systematic(&areas, count)? {
                Pass::Found(run) => return Ok(Some(run)),
                Pass::Unsettled if start.elapsed() < PATIENCE => thread::yield_now(),
                Pass::Nothing | Pass::Unsettled => return Ok(None),
            }
        }
    }

    /// Every run there is: first those without any label, then those whose labels are void, then all, because a label
    /// may be wrong and only the lock is right.
    fn systematic(&self, areas: &[PortRange], count: usize) -> Result<Pass> {
        let Some(span) = self.pool.ports().span() else { return Ok(Pass::Nothing) };
        let empty = self.ports.read_empty(span)?;
        let at = |port: u16| usize::from(port - span.first());
        if let Pass::Found(run) = self.pass(areas, count, |port| empty.get(at(port)) == Some(&false))? {
            return Ok(Pass::Found(run));
        }
        let slots = self.ports.read(span)?;
        let mut void = vec![true; slots.len()];
        for (void, slot) in void.iter_mut().zip(&slots) {
            *void = match slot.label().map(|label| label.claim) {
                None => true,
                Some(Claim::Held { holder }) => self.has_ended(holder),
                Some(Claim::Kept { expires_ms, owner }) => {
                    expires_ms.is_some_and(|at| at <= Timestamp::now().unix_ms())
                        || owner.is_some_and(|owner| self.has_ended(owner))
                }
            };
        }
        if let Pass::Found(run) = self.pass(areas, count, |port| void.get(at(port)) == Some(&false))? {
            return Ok(Pass::Found(run));
        }
        self.pass(areas, count, |_| false)
    }

    /// Tries every run without a port that is to be `avoided`, leaping over whatever refuses one.
    fn pass(&self, areas: &[PortRange], count: usize, avoided: impl Fn(u16) -> bool) -> Result<Pass> {
        let mut unsettled = false;
        for area in areas {
            let mut base = Some(area.first());
            while let Some(run) = base.and_then(|base| window(base, count)).filter(|run| run.last() <= area.last()) {
                base = if let Some(obstacle) = run.ports().rev().find(|port| avoided(*port)) {
                    obstacle.checked_add(1)
                } else {
                    match self.try_run(run)? {
                        Ok(()) => return Ok(Pass::Found(run)),
                        Err(Refusal::Taken(port)) => port.checked_add(1),
                        Err(Refusal::Locked) => match self.ports.conflict(run)? {
                            Some(lock) => {
                                unsettled |= !self.is_settled(lock)?;
                                lock.last().max(run.first()).checked_add(1)
                            }
                            // Gone between the two calls; the next pass will see.
                            None => {
                                unsettled = true;
                                run.first().checked_add(1)
                            }
                        },
                    }
                };
            }
        }
        Ok(if unsettled { Pass::Unsettled } else { Pass::Nothing })
    }

    /// Whether a lock is that of a lease, and not of somebody who is just probing: a lease has labels.
    fn is_settled(&self, lock: PortRange) -> Result<bool> {
        Ok(match self.ports.read_one(lock.first())?.label().map(|label| label.claim) {
            Some(Claim::Held { holder }) => !self.has_ended(holder),
            // Somebody looks at a kept port, or cleans it up.
            Some(Claim::Kept { .. }) => false,
            None => false,
        })
    }

    fn has_ended(&self, process: ProcessStamp) -> bool {
        let mut judged = self.judged.borrow_mut();
        *judged.entry(process).or_insert_with(|| process.judge(&self.here) == Judgement::Ended)
    }

    /// Locks `run` and makes sure that nobody claims or uses it. Refused: nothing stays locked.
    fn try_run(&self, run: PortRange) -> Result<Result<(), Refusal>> {
        if !self.ports.try_lock(run)? {
            return Ok(Err(Refusal::Locked));
        }
        match self.obstacle(run) {
            Ok(None) => Ok(Ok(())),
            Ok(Some(port)) => self.ports.unlock(run).map(|()| Err(Refusal::Taken(port))),
            Err(error) => self.ports.unlock(run).and(Err(error)),
        }
    }

    /// The highest port of a locked run that is kept or bound.
    fn obstacle(&self, run: PortRange) -> Result<Option<u16>> {
        let slots = if self.ports.is_empty(run)? { Vec::new() } else { self.ports.read(run)? };
        for (port, slot) in run.ports().zip(slots).rev() {
            if slot != Slot::Empty
                && matches!(self.registry.standing(self.ports, port, slot, &self.here)?, Standing::Kept(_))
            {
                return Ok(Some(port));
            }
        }
        for port in run.ports().rev() {
            match probe(port) {
                Ok(Occupancy::Free) => {}
                Ok(_) => return Ok(Some(port)),
                Err(error) => return Err(Error::os(format!("cannot probe port {port}"), error)),
            }
        }
        Ok(None)
    }

    /// Locks exactly the ports of `ranges`, or says what is in the way of every one that cannot be had.
    pub(crate) fn these(&self, ranges: &[PortRange]) -> Result<Result<(), Vec<PortState>>> {
        let start = Instant::now();
        loop {
            if self.try_these(ranges)? {
                return Ok(Ok(()));
            }
            let (mut busy, mut unsettled) = (Vec::new(), false);
            for port in ranges.iter().flat_map(|range| range.ports()) {
                let state = check::state(self.registry, self.ports, port, &self.here)?;
                if let PortUsage::Held { .. } = state.usage {
                    unsettled |= !self.is_settled(PortRange::one(port))?;
                }
                if !state.usage.is_free() {
                    busy.push(state);
                }
            }
            let worth_another_look = unsettled || busy.is_empty();
            if !worth_another_look || start.elapsed() >= PATIENCE {
                return Ok(Err(busy));
            }
            thread::yield_now();
        }
    }

    /// Locks all of `ranges` or nothing.
    fn try_these(&self, ranges: &[PortRange]) -> Result<bool> {
        for (index, range) in ranges.iter().enumerate() {
            let tried = self.try_run(*range);
            if !matches!(tried, Ok(Ok(()))) {
                ranges.iter().take(index).try_for_each(|taken| self.ports.unlock(*taken))?;
                return tried.map(|_| false);
            }
        }
        Ok(true)
    }
}

/// The run of `count` ports from `base` on, if it ends by 65535.
fn window(base: u16, count: usize) -> Option<PortRange> {
    let last = usize::from(base).checked_add(count)?.checked_sub(1)?;
    PortRange::new(base, u16::try_from(last).ok()?)
}

/// Which processes have ended, each judged once in a search: a full pool has many labels of few processes, and a search
/// that waits looks at them again and again.
pub(crate) type Judged = RefCell<HashMap<ProcessStamp, bool>>;
