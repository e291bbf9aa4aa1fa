//! Finds the first base at which a shape is free: a few quick attempts, then every base.

use std::collections::BTreeSet;

use log::{debug, trace};
use rand::rngs::SmallRng;

use super::{LockedPorts, ProbePatience, Refusal, Search, Shape, told};
use crate::error::Result;
use crate::pool::{self, PortRange, PortSet};
use crate::registry::Claim;

/// Attempts before the search becomes systematic.
const QUICK_TRIES: usize = 4;

/// Up to this many scattered ports are first tried one by one; for more, the search reads all labels.
const SCATTER_FAST_PATH: usize = 16;

/// How many bases one scan tries again because a probing process had just locked their ports.
const MAX_RETRIES: u32 = 8;

impl<'a> Search<'a> {
    /// Locks the ports of `shape` at the first of `bases` where they are free. `None` if there is none.
    pub(crate) fn first_fit(
        &self,
        shape: &Shape,
        bases: &PortSet,
        random: &mut SmallRng,
    ) -> Result<Option<LockedPorts<'a>>> {
        let mut scan = Scan::new(self, shape, bases);
        let mut is_found = scan.prefer()?;
        if !is_found && !shape.is_scattered() {
            let next = self.cursor.next(bases, shape.step);
            let quick = next.into_iter().chain(pool::random_bases(bases, shape.step, random));
            is_found = scan.try_each(quick.take(QUICK_TRIES))?;
        } else if !is_found {
            // Side by side, because adjacent locks merge into one.
            let areas = pool::rotated(bases, 1, random);
            let near = areas.iter().flat_map(|area| area.ports());
            is_found = scan.try_each(near.take(QUICK_TRIES * shape.count.min(SCATTER_FAST_PATH)))?;
        }
        if is_found {
            return Ok(Some(scan.found));
        }
        // Dropped before the pause, so that of two searches that each have a half, one gets the whole.
        drop(scan);
        let areas = pool::rotated(bases, shape.step, random);
        let mut patience = ProbePatience::default();
        loop {
            let mut scan = Scan::new(self, shape, bases);
            if scan.every_base(&areas)? {
                return Ok(Some(scan.found));
            }
            let is_unsettled = scan.is_unsettled;
            drop(scan);
            if !is_unsettled || !patience.pause()? {
                return Ok(None);
            }
        }
    }
}

/// One pass over the candidates of a search.
struct Scan<'s, 'a> {
    search: &'s Search<'a>,
    shape: &'s Shape,
    bases: &'s PortSet,
    found: LockedPorts<'a>,
    /// Ports that are known to be kept or bound, or locked by this scan: a description never refuses its own locks.
    busy: BTreeSet<u16>,
    /// Whether an obstacle was a lock that may be gone in a moment.
    is_unsettled: bool,
    /// How often a blocking lock was gone a moment later. Such a base is tried again, because the next one would be off
    /// the grid and leave a gap.
    retries: u32,
}

impl<'s, 'a> Scan<'s, 'a> {
    fn new(search: &'s Search<'a>, shape: &'s Shape, bases: &'s PortSet) -> Self {
        Self {
            search,
            shape,
            bases,
            found: LockedPorts::default(),
            busy: BTreeSet::new(),
            is_unsettled: false,
            retries: 0,
        }
    }

    fn is_complete(&self) -> bool {
        self.found.ports().len() == self.shape.count
    }

    /// Tries the bases that go before all others.
    fn prefer(&mut self) -> Result<bool> {
        for base in &self.search.preferred {
            if !self.is_complete() && (self.bases.contains(*base) || self.search.wishes.contains(base)) {
                let _ = self.try_at(*base, true)?;
            }
        }
        Ok(self.is_complete())
    }

    /// Tries a few bases; usually the first one is free.
    fn try_each(&mut self, bases: impl Iterator<Item = u16>) -> Result<bool> {
        let cursor = self.search.cursor;
        let mut has_met_others = false;
        for base in bases {
            // In a full pool, reading the labels is far cheaper than a refused lock.
            let is_worth_it = !(has_met_others || cursor.is_crowded()) || self.is_unlabelled(base)?;
            has_met_others |= !is_worth_it || self.try_at(base, false)?.is_err();
            if self.is_complete() {
                cursor.set_crowded(has_met_others);
                self.advance_cursor();
                return Ok(true);
            }
        }
        cursor.set_crowded(true);
        Ok(false)
    }

    fn is_unlabelled(&self, base: u16) -> Result<bool> {
        let ports: Vec<u16> = self.shape.ports(base).collect();
        for range in PortRange::covering(&ports) {
            if !self.search.ports.is_empty(range)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the next lease continue after this one, if it is a run.
    fn advance_cursor(&self) {
        if let Some(run) = self.found.only_run() {
            self.search.cursor.advance(run);
        }
    }

    /// Tries every base: first those without any label, then those whose labels are void, then all of them, because a
    /// label may be wrong and only the lock is authoritative.
    fn every_base(&mut self, areas: &[PortRange]) -> Result<bool> {
        let Some(span) = self.bases.span().and_then(|pool| self.shape.span(pool)) else {
            return Ok(false);
        };
        let at = |port: u16| usize::from(port.saturating_sub(span.first()));
        if self.prefer()? {
            return Ok(true);
        }
        let empty = self.search.ports.read_empty(span)?;
        let mut is_found = self.scan(areas, |port| empty.get(at(port)) == Some(&false))?;
        if !is_found {
            // What was the list of empty slots is now that of void ones, because both together would be large.
            let mut void = empty;
            self.search.ports.each(span, |port, slot| {
                let Some(void) = void.get_mut(at(port)) else { return };
                *void = match slot.label().map(|label| label.claim) {
                    None => true,
                    Some(Claim::Held { holder }) => self.search.has_ended(holder),
                    Some(kept) => kept.end_by(|owner| self.search.has_ended(owner)).is_some(),
                };
            })?;
            is_found = self.scan(areas, |port| void.get(at(port)) == Some(&false))? || self.scan(areas, |_| false)?;
        }
        if is_found {
            self.advance_cursor();
        }
        Ok(is_found)
    }

    /// Tries every base whose ports are neither `avoided` nor known to be in use, and skips past each obstacle.
    fn scan(&mut self, areas: &[PortRange], avoided: impl Fn(u16) -> bool) -> Result<bool> {
        for area in areas {
            let mut next = Some(area.first());
            while let Some(base) = next.filter(|base| self.shape.fits(*base, *area)) {
                let obstacle = self.shape.ports(base).find(|port| avoided(*port) || self.busy.contains(port));
                next = match obstacle {
                    Some(port) => {
                        trace!("passed over: {}", told::of_label(self.search.ports, port, &self.search.here));
                        self.shape.beyond(base, port)
                    }
                    None => self.try_and_go_on(base)?,
                };
                if self.is_complete() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Tries one base, and returns the next one to try.
    fn try_and_go_on(&mut self, base: u16) -> Result<Option<u16>> {
        Ok(match self.try_at(base, false)? {
            Ok(()) | Err(Refusal::Misfit) => self.shape.beyond(base, base),
            Err(Refusal::Taken(port)) => {
                self.busy.insert(port);
                self.shape.beyond(base, port)
            }
            Err(Refusal::Locked(run)) => match self.search.ports.conflict(run)? {
                Some(lock) => {
                    self.is_unsettled |= !self.search.is_settled(lock)?;
                    self.shape.beyond(base, lock.last())
                }
                None if self.retries < MAX_RETRIES => {
                    self.retries += 1;
                    Some(base)
                }
                // The next attempt decides.
                None => {
                    self.is_unsettled = true;
                    base.checked_add(1)
                }
            },
        })
    }

    /// Locks the ports at `base`.
    fn try_at(&mut self, base: u16, is_preferred: bool) -> Result<Result<(), Refusal>> {
        let Some(ports) = self.shape.at(base) else {
            debug!("refused: the ports from {base} on do not fit below 65536");
            return Ok(Err(Refusal::Misfit));
        };
        if let Some(port) = ports.iter().find(|port| self.busy.contains(port)) {
            debug!("refused: port {port} was refused before");
            return Ok(Err(Refusal::Misfit));
        }
        let locked = self.search.try_ports(ports, is_preferred)?;
        Ok(locked.map(|locked| {
            if self.shape.is_scattered() {
                self.busy.extend(locked.ports());
            }
            self.found.append(locked);
        }))
    }
}
