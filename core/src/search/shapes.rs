//! Finding ports that are not one run: exactly these, some anywhere, or one base with offsets from it.

use rand::rngs::SmallRng;

use super::{Found, Look, Patience, QUICK_TRIES, Refusal, Search};
use crate::check;
use crate::error::Result;
use crate::pool::{self, PortRange};
use crate::port_state::{PortState, PortUsage};

/// Ports that are not so many that one sweep over all labels is cheaper than a look at each.
const FEW: usize = 16;

impl Search<'_> {
    /// Locks exactly `ports`, or says what is in the way of every one that cannot be had.
    pub(crate) fn exact(&self, ports: &[u16]) -> Result<Result<Found, Vec<PortState>>> {
        let ranges = runs_of(ports.to_vec());
        let mut patience = Patience::default();
        loop {
            if self.try_all(&ranges)?.is_ok() {
                return Ok(Ok(Found { ports: ports.into(), ranges }));
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
            if !worth_another_look || !patience.pause()? {
                return Ok(Err(busy));
            }
        }
    }

    /// Locks the ports at `offsets` from one base in the pool. The others may lie outside the pool, but are never ones
    /// that the user excluded.
    pub(crate) fn offsets(&self, offsets: &[u16], random: &mut SmallRng) -> Result<Option<Found>> {
        for base in &self.preferred {
            if let Some(found) = self.returning(|| self.try_offsets(*base, offsets))?.ok().flatten() {
                return Ok(Some(found));
            }
        }
        let quick = pool::random_bases(self.pool.ports(), 1, random).take(QUICK_TRIES).collect::<Vec<_>>();
        for base in quick {
            if let Some(found) = self.try_offsets(base, offsets)?.ok().flatten() {
                return Ok(Some(found));
            }
        }
        let areas = pool::rotated(self.pool.ports(), 1, random);
        self.patiently(|| {
            let empty = self.ports.read_empty(PortRange::ALL)?;
            let is_empty = |port: u16| empty.get(usize::from(port) - 1) == Some(&true);
            let bases = || areas.iter().flat_map(|area| area.ports());
            // First those without any label, then all.
            let unlabelled =
                bases().filter(|base| offsets.iter().all(|offset| base.checked_add(*offset).is_some_and(is_empty)));
            let mut unsettled = false;
            for base in unlabelled.chain(bases()) {
                match self.try_offsets(base, offsets)? {
                    Ok(Some(found)) => return Ok(Look::Found(found)),
                    Ok(None) => {}
                    Err((range, Refusal::Locked)) => {
                        // A lock that is gone already will be seen in the next look.
                        unsettled |= match self.ports.conflict(range)? {
                            Some(lock) => !self.is_settled(lock)?,
                            None => true,
                        };
                    }
                    Err((_, Refusal::Taken(_))) => {}
                }
            }
            Ok(if unsettled { Look::Unsettled } else { Look::Nothing })
        })
    }

    /// `Ok(None)`: the shape does not fit at this base.
    fn try_offsets(&self, base: u16, offsets: &[u16]) -> Result<Result<Option<Found>, (PortRange, Refusal)>> {
        let ports: Option<Vec<u16>> = offsets.iter().map(|offset| base.checked_add(*offset)).collect();
        let Some(ports) = ports.filter(|ports| !ports.iter().any(|port| self.pool.excludes(*port))) else {
            return Ok(Ok(None));
        };
        let ranges = runs_of(ports.clone());
        let tried = self.try_all(&ranges)?;
        Ok(tried.map(|()| Some(Found { ports: ports.into(), ranges })))
    }

    /// Locks `count` ports of the pool, wherever they are free.
    pub(crate) fn scattered(&self, count: usize, random: &mut SmallRng) -> Result<Option<Found>> {
        let areas = pool::rotated(self.pool.ports(), 1, random);
        let all = || areas.iter().flat_map(|area| area.ports());
        let preferred = || self.preferred.iter().copied();
        // Mostly the next ports will do, and a sweep over all labels costs more than the rest of the lease.
        let mut near = Vec::new();
        for port in all().take(QUICK_TRIES * count.min(FEW)) {
            if self.ports.is_empty(PortRange::one(port))? {
                near.push(port);
            }
        }
        if let Look::Found(found) = self.gather(preferred().chain(near), count)? {
            return Ok(Some(found));
        }
        self.patiently(|| {
            let empty = self.ports.read_empty(PortRange::ALL)?;
            let is_empty = |port: &u16| empty.get(usize::from(*port) - 1) == Some(&true);
            let unlabelled = all().filter(is_empty);
            self.gather(preferred().chain(unlabelled).chain(all().filter(|port| !is_empty(port))), count)
        })
    }

    /// Locks `count` of these ports or none.
    fn gather(&self, candidates: impl Iterator<Item = u16>, count: usize) -> Result<Look<Found>> {
        let (mut taken, mut unsettled) = (Vec::with_capacity(count), false);
        for port in candidates {
            let one = PortRange::one(port);
            // A port preferred twice is one port: a description never refuses itself.
            if taken.contains(&port) {
                continue;
            }
            match self.try_run(one)? {
                Ok(()) => taken.push(port),
                Err(Refusal::Locked) => unsettled |= !self.is_settled(one)?,
                Err(Refusal::Taken(_)) => {}
            }
            if taken.len() == count {
                let ranges = runs_of(taken.clone());
                return Ok(Look::Found(Found { ports: taken.into(), ranges }));
            }
        }
        self.let_go(&runs_of(taken))?;
        Ok(if unsettled { Look::Unsettled } else { Look::Nothing })
    }
}

/// The runs that cover exactly `ports`, which are distinct.
fn runs_of(mut ports: Vec<u16>) -> Vec<PortRange> {
    ports.sort_unstable();
    PortRange::covering(ports)
}
