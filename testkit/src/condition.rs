//! Waiting for a condition: a test that sleeps and hopes is either slow or flaky.

use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};

/// How long a condition may take on a machine that is busy with everything else.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds; fails the test if it does not within [`PATIENCE`].
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        // Between two looks, so that what is waited for gets the processor.
        let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 2_000_000 }));
    }
}
