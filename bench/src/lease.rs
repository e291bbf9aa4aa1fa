//! Lease and release, against the bare system calls.

use std::time::Duration;

use portalloc::{Allocator, LeaseRequest};

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
    guarded(&allocator);
}

/// A guard is made of the sockets of the probe: it may cost at most one more bind a port.
fn guarded(allocator: &Allocator) {
    let lease = |guard: bool| time(|| drop(allocator.lease(LeaseRequest::run(5).guard(guard)).unwrap()));
    let (with, without) = in_turns(ROUNDS, || lease(true), || lease(false));
    let (bind, _) = in_turns(ROUNDS, || time(|| std::net::TcpListener::bind("[::]:9876")), Duration::default);
    let bound = (without.median() + 5.0 * bind.median()) / without.median();
    compare("lease of 5 with a guard", &with, "without", &without, bound);
}
