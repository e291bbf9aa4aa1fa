//! The last run of a pool that others have leased but for five ports.

use portalloc::{Allocator, LeaseRequest};

use crate::Scratch;
use crate::measure::{Times, absolute, time};

pub(crate) fn run() {
    raise_descriptor_limit();
    for of in [5, 1] {
        let scratch = Scratch::new();
        // No port of this range is in the table of known services but 11211 and 15672, which leave gaps in it.
        let allocator = scratch.settings().pool("10000-19999").open().unwrap();
        let held = fill(&allocator, of, 15_000);
        let times = (0..300).map(|_| time(|| drop(allocator.lease(5).unwrap()))).collect();
        absolute(&format!("last 5 of 10,000, others' leases of {of} ({})", held.len()), &Times::new(times), 1000.0);
    }
}

/// Leases of `of` ports everywhere but on the five from `spare` on.
fn fill(allocator: &Allocator, of: usize, spare: u16) -> Vec<portalloc::Lease> {
    let left: Vec<u16> = allocator.pool().ports().ports().filter(|port| !(spare..spare + 5).contains(port)).collect();
    // A port that a foreign process has is as good as leased.
    left.chunks(of).filter_map(|ports| allocator.lease(LeaseRequest::exact(ports.iter().copied())).ok()).collect()
}

pub(crate) fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}
