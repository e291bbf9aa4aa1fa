//! Random numbers for choosing ports, whose state a fork never copies.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::sys::{PerProcess, random_number};

/// Creates a fast generator for each lease, from a seed of the operating system (one per process) and a counter, so
/// that neither threads nor forked children repeat each other's numbers.
#[derive(Default)]
pub(crate) struct Generators(PerProcess<Seeded>);

struct Seeded {
    seed: u64,
    made: AtomicU64,
}

impl Generators {
    pub(crate) fn next(&self) -> io::Result<SmallRng> {
        self.number().map(SmallRng::seed_from_u64)
    }

    /// A number that distinguishes one lease of this process from its others.
    pub(crate) fn number(&self) -> io::Result<u64> {
        let seeded = self
            .0
            .get_or_try_make(|| Ok::<_, io::Error>(Seeded { seed: random_number()?, made: AtomicU64::new(0) }))?;
        // The factor is odd, so no two counts give the same number, and consecutive numbers differ in many bits.
        Ok(seeded.seed ^ seeded.made.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn no_lease_repeats_another() {
        let (one, other) = (Generators::default(), Generators::default());
        let numbers =
            |generators: &Generators| (0..1000).map(|_| generators.next().unwrap().next_u64()).collect::<Vec<_>>();
        let mut all = [numbers(&one), numbers(&other)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2000);
    }
}
