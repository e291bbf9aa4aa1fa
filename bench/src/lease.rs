//! Lease and release, against the bare system calls.

use crate::measure::{compare, in_turns, time};
use crate::{Scratch, floor};

const ROUNDS: usize = 20_000;

pub(crate) fn run() {
    let scratch = Scratch::new();
    let allocator = scratch.settings().open().unwrap();
    let path = scratch.ports_path();
    let mut bases = floor::Bases::new();
    for (count, bound) in [(5, 1.15), (1, 1.3), (100, 1.15)] {
        let rounds = ROUNDS / usize::from(count).div_ceil(5);
        let (ours, floor) = in_turns(
            rounds,
            || time(|| drop(allocator.lease(usize::from(count)).unwrap())),
            || {
                let base = bases.next(count);
                time(|| drop(floor::lease(&path, base, count)))
            },
        );
        compare(&format!("lease of {count} and release"), &ours, "bare calls", &floor, bound);
    }
}
