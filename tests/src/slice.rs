//! Ports that no other test on this machine has, while the lease of them lives. Sockets are machine-wide, so tests that
//! run at once lease theirs from portalloc itself, in a registry that all of them share. Part of the tests of several
//! crates, which are built without one another: so it needs nothing but the core.

#![expect(clippy::expect_used, reason = "a helper of tests: a failure is a failed test")]

use std::time::{Duration, Instant};

use portalloc::who::PortReport;
use portalloc::{Lease, LeaseRequest, Settings};

const PATIENCE: Duration = Duration::from_secs(120);

/// `count` consecutive ports on which nobody has a socket, and how a pool of them is written.
pub(crate) fn slice(count: usize) -> (Lease, String) {
    let slices = Settings::new()
        .directory(std::env::temp_dir().join("portalloc-test-ports"))
        .pool("20001-29999")
        .exclude("")
        .open()
        .expect("the registry of slices opens");
    let slice = slices.lease(LeaseRequest::run(count).wait(PATIENCE)).expect("a slice of ports comes free");
    // A program that another test was just starting has copies of the probe's sockets until it is executed.
    let start = Instant::now();
    while slices.who(slice.ports().iter().copied()).expect("the sockets").iter().any(PortReport::is_in_use) {
        assert!(start.elapsed() < PATIENCE, "the sockets of the slice's probe stay");
        std::thread::yield_now();
    }
    let pool = format!("{}-{}", slice.base_port(), slice.base_port() as usize + count - 1);
    (slice, pool)
}
