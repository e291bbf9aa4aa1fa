//! The random instant at which the next blow falls.

use std::time::{Duration, Instant};

use portalloc_testkit::Random;
use rustix::event::{Timespec, poll};

/// Lets others run for so long. Nobody relies on how long it is.
pub(crate) fn pause(microseconds: usize) {
    let nanoseconds = i64::try_from(microseconds).unwrap_or_default() * 1000;
    let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: nanoseconds.min(999_999_999) }));
}

/// Passes a few microseconds without letting go of the processor, because a pause has a shortest length.
pub(crate) fn spin(random: &mut Random) {
    let length = Duration::from_micros(u64::try_from(random.below(50)).unwrap_or_default());
    let start = Instant::now();
    while start.elapsed() < length {
        std::hint::spin_loop();
    }
}
