//! Finding a run of consecutive ports.

use std::collections::BTreeSet;

use rand::rngs::SmallRng;

use super::{Found, Look, QUICK_TRIES, Refusal, Search};
use crate::error::Result;
use crate::pool::{self, PortRange};
use crate::registry::Claim;

/// Runs that are tried again in one pass, because somebody had just looked at them.
const PERSISTENCE: u32 = 8;

impl Search<'_> {
    /// Locks a free run of `count` ports of the pool. `None`: there is none.
    pub(crate) fn run(&self, count: usize, random: &mut SmallRng) -> Result<Option<Found>> {
        for base in &self.preferred {
            if let Some(run) = PortRange::of(*base, count)
                && self.returning(|| self.try_run(run))?.is_ok()
            {
                return Ok(Some(found(run)));
            }
        }
        let run = self.any_run(count, random)?;
        if let Some(run) = run {
            self.cursor.advance(run);
        }
        Ok(run.map(found))
    }

    fn any_run(&self, count: usize, random: &mut SmallRng) -> Result<Option<PortRange>> {
        let ports = self.pool.ports();
        let next = self.cursor.next(ports, count);
        let bases = next.into_iter().chain(pool::random_bases(ports, count, random)).take(QUICK_TRIES);
        for (index, base) in bases.enumerate() {
            let Some(run) = PortRange::of(base, count) else { continue };
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
        self.patiently(|| self.systematic(&areas, count))
    }

    /// Every run there is: first those without any label, then those whose labels are void, then all, because a label
    /// may be wrong and only the lock is right.
    fn systematic(&self, areas: &[PortRange], count: usize) -> Result<Look<PortRange>> {
        let Some(span) = self.pool.ports().span() else { return Ok(Look::Nothing) };
        let empty = self.ports.read_empty(span)?;
        let at = |port: u16| usize::from(port - span.first());
        // What was found kept or bound is not probed again in the same look.
        let mut taken = BTreeSet::new();
        if let Look::Found(run) = self.pass(areas, count, &mut taken, |port| empty.get(at(port)) == Some(&false))? {
            return Ok(Look::Found(run));
        }
        let slots = self.ports.read(span)?;
        let mut void = vec![true; slots.len()];
        for (void, slot) in void.iter_mut().zip(&slots) {
            *void = match slot.label().map(|label| label.claim) {
                None => true,
                Some(Claim::Held { holder }) => self.has_ended(holder),
                Some(kept) => kept.end_by(|owner| self.has_ended(owner)).is_some(),
            };
        }
        if let Look::Found(run) = self.pass(areas, count, &mut taken, |port| void.get(at(port)) == Some(&false))? {
            return Ok(Look::Found(run));
        }
        self.pass(areas, count, &mut taken, |_| false)
    }

    /// Tries every run without a port that is to be `avoided` or is known to be `taken`, leaping over whatever refuses one.
    fn pass(
        &self,
        areas: &[PortRange],
        count: usize,
        taken: &mut BTreeSet<u16>,
        avoided: impl Fn(u16) -> bool,
    ) -> Result<Look<PortRange>> {
        let mut unsettled = false;
        // How often the lock that refused a run was gone a moment later. Such a run is tried again, because the next one would
        // be off the grid and leave a gap.
        let mut missed = 0;
        for area in areas {
            let mut base = Some(area.first());
            while let Some(run) =
                base.and_then(|base| PortRange::of(base, count)).filter(|run| run.last() <= area.last())
            {
                base = if let Some(obstacle) = run.ports().rev().find(|port| avoided(*port) || taken.contains(port)) {
                    obstacle.checked_add(1)
                } else {
                    match self.try_run(run)? {
                        Ok(()) => return Ok(Look::Found(run)),
                        Err(Refusal::Taken(port)) => {
                            taken.insert(port);
                            port.checked_add(1)
                        }
                        Err(Refusal::Locked) => match self.ports.conflict(run)? {
                            Some(lock) => {
                                unsettled |= !self.is_settled(lock)?;
                                lock.last().max(run.first()).checked_add(1)
                            }
                            None if missed < PERSISTENCE => {
                                missed += 1;
                                Some(run.first())
                            }
                            // The next pass will see.
                            None => {
                                unsettled = true;
                                run.first().checked_add(1)
                            }
                        },
                    }
                };
            }
        }
        Ok(if unsettled { Look::Unsettled } else { Look::Nothing })
    }
}

fn found(run: PortRange) -> Found {
    Found { ports: run.ports().collect(), ranges: vec![run] }
}
