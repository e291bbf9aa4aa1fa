//! Randomness from the operating system, never from a state that a fork would copy.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::{SmallRng, SysRng};
use rand::{SeedableRng, TryRng};

/// A random number, good enough for cryptography.
pub(crate) fn number() -> io::Result<u64> {
    SysRng.try_next_u64().map_err(io::Error::other)
}

/// Fast generators for choosing ports, one a lease: from a seed of the operating system's, a count, and the process
/// ID, so that neither threads nor forked children repeat each other.
pub(crate) struct Generators {
    seed: u64,
    made: AtomicU64,
}

impl Generators {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { seed: number()?, made: AtomicU64::new(0) })
    }

    pub(crate) fn next(&self, pid: u32) -> SmallRng {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        // Odd factors, so that no two pairs of count and process are likely to give the same seed.
        let varied = count.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(pid).wrapping_mul(0xd1b5_4a32_d192_ed03);
        SmallRng::seed_from_u64(self.seed ^ varied)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn no_lease_and_no_process_repeats_another() {
        let generators = Generators::new().unwrap();
        let numbers = |pid| (0..1000).map(|_| generators.next(pid).next_u64()).collect::<Vec<_>>();
        let mut all = [numbers(1), numbers(2)].concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2000);
    }
}
