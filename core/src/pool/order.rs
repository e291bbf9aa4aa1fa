//! In which order to try the runs of a pool. Pure except for the cursor, which is an atomic number.
//!
//! Each allocator starts at a random base and advances run by run, so that a released port rests until the cursor comes
//! around again, and so that the labels of one lease are still in the processor's cache when the next one is taken. On
//! contention it jumps to a random base. All bases lie on a grid whose step is the size of the run, so that runs of one
//! size leave no gaps too small for the next. After a few failed attempts, a systematic search goes through every run.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use rand::{Rng, RngExt};

use super::grid::Grid;
use crate::port_set::{PortRange, PortSet};

/// The position of an allocator's cursor.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    port: AtomicU16,
    crowded: AtomicBool,
}

impl Cursor {
    /// The first port of the next run of `count` ports; `None` before the first lease.
    pub(crate) fn next(&self, ports: &PortSet, count: usize) -> Option<u16> {
        let from = self.port.load(Ordering::Relaxed);
        let grid = Grid::new(ports, count);
        if from == 0 { None } else { grid.base_from(from).or_else(|| grid.base_from(1)) }
    }

    /// Advances past a run that was taken.
    pub(crate) fn advance(&self, run: PortRange) {
        self.port.store(run.last().checked_add(1).unwrap_or(1), Ordering::Relaxed);
    }

    /// Whether the last search met contention. Then it is worth reading the labels before trying a lock.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    pub(crate) fn set_crowded(&self, crowded: bool) {
        if crowded != self.is_crowded() {
            self.crowded.store(crowded, Ordering::Relaxed);
        }
    }
}

/// An endless series of random first ports for runs of `count` ports; empty if no such run fits.
pub(crate) fn random_bases(ports: &PortSet, count: usize, random: &mut impl Rng) -> impl Iterator<Item = u16> {
    let grid = Grid::new(ports, count);
    let cells = grid.cells();
    std::iter::from_fn(move || if cells == 0 { None } else { grid.base(random.random_range(0..cells)) })
}

/// The ranges that can hold a run of `count` ports, starting with a random one, which is split at a random point of the
/// grid without losing a run: the part after the split comes first, and the part before it (extended to include the
/// runs that cross the split) last. A search through them, among runs of the same size, reaches bases on the grid
/// before any others.
pub(crate) fn rotated(ports: &PortSet, count: usize, random: &mut impl Rng) -> Vec<PortRange> {
    let fitting: Vec<PortRange> = ports.ranges().iter().copied().filter(|range| range.count() >= count).collect();
    if fitting.is_empty() {
        return fitting;
    }
    let chosen = random.random_range(0..fitting.len());
    let mut order: Vec<PortRange> = fitting.iter().cycle().skip(chosen).take(fitting.len()).copied().collect();
    if let Some(head) = order.first().copied() {
        let bases = head.count() - count + 1;
        let split = random.random_range(0..bases.div_ceil(count)) * count;
        let from = u16::try_from(split).ok().and_then(|split| head.first().checked_add(split)).unwrap_or(head.first());
        let upper = PortRange::new(from, head.last());
        // The last run of this part starts just below the split.
        let reach = u16::try_from(split + count).ok().and_then(|end| (head.first() - 1).checked_add(end - 1));
        let lower = if split == 0 { None } else { reach.and_then(|reach| PortRange::new(head.first(), reach)) };
        order.remove(0);
        order.splice(0..0, upper);
        order.extend(lower);
    }
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    /// Every base at which a run of `count` fits.
    fn bases(ranges: &[PortRange], count: usize) -> Vec<u16> {
        ranges.iter().flat_map(|range| range.ports().take((range.count() + 1).saturating_sub(count))).collect()
    }

    proptest! {
        #[test]
        fn rotation_offers_every_run_exactly_once(seed: u64, count in 1usize..9, starts in prop::collection::btree_set(1u16..300, 1..5), length in 0u16..20) {
            let set: PortSet = starts.into_iter().map(|first| PortRange::new(first * 20, first * 20 + length).unwrap()).collect();
            let mut random = SmallRng::seed_from_u64(seed);
            let order = bases(&rotated(&set, count, &mut random), count);
            let distinct: BTreeSet<u16> = order.iter().copied().collect();
            prop_assert_eq!(distinct.len(), order.len(), "a run offered twice");
            prop_assert_eq!(distinct, bases(set.ranges(), count).into_iter().collect::<BTreeSet<_>>());
        }

        #[test]
        fn random_picks_lie_in_the_pool_and_on_one_grid(seed: u64, count in 1usize..9) {
            let set = PortSet::parse("100-150,200-203,65500-65535").unwrap();
            let mut random = SmallRng::seed_from_u64(seed);
            let picks: Vec<u16> = random_bases(&set, count, &mut random).take(20).collect();
            prop_assert_eq!(picks.len(), 20);
            for base in picks {
                let range = set.ranges().iter().find(|range| range.contains(base)).unwrap();
                prop_assert!(usize::from(base) + count - 1 <= usize::from(range.last()));
                prop_assert_eq!(usize::from(base - range.first()) % count, 0);
            }
        }
    }

    #[test]
    fn a_walk_visits_every_cell_of_the_grid_and_comes_around() {
        let set = PortSet::parse("100-111,200-203,65533-65535").unwrap();
        let cursor = Cursor::default();
        assert_eq!(cursor.next(&set, 5), None, "the first base is a random one");
        cursor.advance(PortRange::new(100, 104).unwrap());
        assert_eq!(cursor.next(&set, 5), Some(105));
        // A run of another size in between: the grid of its own size.
        assert_eq!(cursor.next(&set, 3), Some(106));
        cursor.advance(PortRange::new(109, 111).unwrap());
        assert_eq!(cursor.next(&set, 3), Some(200));
        cursor.advance(PortRange::new(200, 202).unwrap());
        assert_eq!(cursor.next(&set, 3), Some(65533));
        cursor.advance(PortRange::new(65533, 65535).unwrap());
        assert_eq!(cursor.next(&set, 3), Some(100));
        assert_eq!(cursor.next(&set, 13), None);
    }

    #[test]
    fn nothing_is_picked_where_nothing_fits() {
        let mut random = SmallRng::seed_from_u64(1);
        let set = PortSet::parse("100-103").unwrap();
        assert_eq!(random_bases(&set, 5, &mut random).next(), None);
        assert!(rotated(&set, 5, &mut random).is_empty());
    }
}
