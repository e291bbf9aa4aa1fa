//! Ports that no other test on this machine has, while the lease of them lives.

#![expect(clippy::expect_used, reason = "a helper of tests: a failure is a failed test")]

use std::time::{Duration, Instant};

use portalloc::{Lease, PortReport, Request, Settings};

const PATIENCE: Duration = Duration::from_secs(120);

/// `count` consecutive ports on which nobody has a socket, leased from the registry that all suites share.
pub(crate) fn slice(count: usize) -> Lease {
    let slices = Settings::new()
        .directory(std::env::temp_dir().join("portalloc-tests-slices"))
        .pool("20001-29999")
        .exclude("")
        .open()
        .expect("the registry of slices opens");
    let slice = slices.lease(Request::run(count).wait(PATIENCE)).expect("a slice of ports comes free");
    // A program that another test was just starting has copies of the probe's sockets until it is executed.
    let start = Instant::now();
    while slices.who(slice.ports().iter().copied()).expect("the sockets").iter().any(PortReport::is_in_use) {
        assert!(start.elapsed() < PATIENCE, "the sockets of the slice's probe stay");
        std::thread::yield_now();
    }
    slice
}
