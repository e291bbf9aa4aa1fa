//! In which order to try the runs of a pool. Pure.
//!
//! First a few random picks on a grid whose step is the size of the run: random, so that many processes rarely meet;
//! on a grid, so that runs of one size leave no gaps too small for the next. After those a systematic search
//! (search.rs) walks every run, from a random place on.

use rand::{Rng, RngExt};

use super::set::{PortRange, PortSet};

/// Up to `tries` random first ports of runs of `count` ports.
pub(crate) fn random_bases(
    ports: &PortSet,
    count: usize,
    tries: usize,
    random: &mut impl Rng,
) -> impl Iterator<Item = u16> {
    let cells = move |range: &PortRange| range.count() / count;
    let total: usize = ports.ranges().iter().map(cells).sum();
    (0..if total == 0 { 0 } else { tries }).filter_map(move |_| {
        let mut cell = random.random_range(0..total);
        for range in ports.ranges() {
            if cell < cells(range) {
                return u16::try_from(usize::from(range.first()) + cell * count).ok();
            }
            cell -= cells(range);
        }
        None
    })
}

/// The ranges that can hold a run of `count` ports, beginning with the one around a random port, which is split so
/// that no run is lost: the part from that port on comes first, the part before it (which reaches far enough to
/// hold the runs that cross the split) last.
pub(crate) fn rotated(ports: &PortSet, count: usize, random: &mut impl Rng) -> Vec<PortRange> {
    let fitting: Vec<PortRange> = ports.ranges().iter().copied().filter(|range| range.count() >= count).collect();
    if fitting.is_empty() {
        return fitting;
    }
    let chosen = random.random_range(0..fitting.len());
    let mut order: Vec<PortRange> = fitting.iter().cycle().skip(chosen).take(fitting.len()).copied().collect();
    if let Some(head) = order.first().copied() {
        let bases = head.count() - count + 1;
        let split = random.random_range(0..bases);
        let from = u16::try_from(split).ok().and_then(|split| head.first().checked_add(split)).unwrap_or(head.first());
        let upper = PortRange::new(from, head.last());
        // The last run of this part begins just below the split.
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
            let picks: Vec<u16> = random_bases(&set, count, 20, &mut random).collect();
            prop_assert_eq!(picks.len(), 20);
            for base in picks {
                let range = set.ranges().iter().find(|range| range.contains(base)).unwrap();
                prop_assert!(usize::from(base) + count - 1 <= usize::from(range.last()));
                prop_assert_eq!(usize::from(base - range.first()) % count, 0);
            }
        }
    }

    #[test]
    fn nothing_is_picked_where_nothing_fits() {
        let mut random = SmallRng::seed_from_u64(1);
        let set = PortSet::parse("100-103").unwrap();
        assert_eq!(random_bases(&set, 5, 8, &mut random).count(), 0);
        assert!(rotated(&set, 5, &mut random).is_empty());
    }
}
