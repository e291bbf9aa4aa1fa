//! Random numbers from the operating system, never from a state that a fork would copy.

use std::io;

use rand::TryRng;
use rand::rngs::SysRng;

/// A cryptographically secure random number.
pub(crate) fn random_number() -> io::Result<u64> {
    SysRng.try_next_u64().map_err(io::Error::other)
}
