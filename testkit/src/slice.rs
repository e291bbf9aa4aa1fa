//! Ports that no other test on this machine has. Sockets are machine-wide, so tests that run at once lease theirs from
//! portalloc itself, in a registry that all of them share.

use std::time::Duration;

use portalloc::who::PortReport;
use portalloc::{Lease, LeaseRequest, Settings};

use crate::until;

/// How long a test waits for others to end when all ports are in use.
const PATIENCE: Duration = Duration::from_secs(120);

/// Consecutive ports, and how a pool of them is written.
#[derive(Debug)]
pub struct Slice {
    ports: Vec<u16>,
    pool: String,
    _lease: Option<Lease>,
}

impl Slice {
    /// `count` ports on which nobody has a socket, until this is dropped.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let slices = Settings::new()
            .directory(std::env::temp_dir().join("portalloc-test-ports"))
            .pool("20001-29999")
            .exclude("")
            .open()
            .expect("the registry of slices opens");
        let lease = slices.lease(LeaseRequest::run(count).wait(PATIENCE)).expect("a slice of ports comes free");
        // A program that another test was just starting has copies of the probe's sockets until it is executed.
        until("nobody has a socket of the slice's probe", || {
            let reports = slices.who(lease.ports().iter().copied()).expect("the sockets");
            !reports.iter().any(PortReport::is_in_use)
        });
        Self::of(lease.ports().to_vec(), Some(lease))
    }

    /// `count` ports from `first` on, for a process in a network namespace of its own, where no other test is.
    #[must_use]
    pub fn undisputed(first: u16, count: u16) -> Self {
        Self::of((first..first + count).collect(), None)
    }

    fn of(ports: Vec<u16>, lease: Option<Lease>) -> Self {
        let pool = match ports.as_slice() {
            [first, .., last] => format!("{first}-{last}"),
            [only] => format!("{only}-{only}"),
            [] => panic!("a slice without ports"),
        };
        Self { ports, pool, _lease: lease }
    }

    /// The first of them.
    #[must_use]
    pub fn base(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// All of them, in ascending order.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// `PORTALLOC_POOL`.
    #[must_use]
    pub fn pool(&self) -> &str {
        &self.pool
    }
}
