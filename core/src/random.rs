//! Randomness from the operating system, never from a state that a fork would copy.

use std::io;

use rand::rngs::{SmallRng, SysRng};
use rand::{SeedableRng, TryRng};

/// A random number, good enough for cryptography.
pub(crate) fn number() -> io::Result<u64> {
    SysRng.try_next_u64().map_err(io::Error::other)
}

/// A fast generator for choosing ports, seeded anew for each lease.
pub(crate) fn generator() -> io::Result<SmallRng> {
    number().map(SmallRng::seed_from_u64)
}
