//! The core's own call, for the benchmarks of the bindings, which start this program in turns with their own calls:
//! `portalloc-bench core ROUNDS` prints the median of lease(1) and release in nanoseconds, and nothing else.

use portalloc::Allocator;

use crate::measure::{Times, time};

/// The rounds asked for, if this is such a call.
pub(crate) fn rounds() -> Option<usize> {
    let mut args = std::env::args().skip(1);
    (args.next()? == "core").then(|| args.next())?.and_then(|rounds| rounds.parse().ok())
}

pub(crate) fn run(rounds: usize) {
    let allocator = Allocator::open().unwrap();
    let times = (0..rounds).map(|_| time(|| drop(allocator.lease(1).unwrap()))).collect();
    println!("{:.0}", Times::new(times).median() * 1000.0);
}
