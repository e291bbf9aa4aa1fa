//! Waits for a condition, because a test that sleeps for a fixed time is either slow or flaky.

use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};

/// How long a condition may take on a machine under heavy load.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds; fails the test if it does not within [`PATIENCE`].
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "timed out after {PATIENCE:?} waiting until {what}");
        // A pause between two checks, so that other processes get the CPU.
        let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 2_000_000 }));
    }
}
