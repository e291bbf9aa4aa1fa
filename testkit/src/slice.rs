//! Ports that no other test on this machine has. Sockets are machine-wide, so concurrent tests lease their ports from
//! portalloc itself, in a registry that all tests share.

use std::time::Duration;

use portalloc::who::PortReport;
use portalloc::{Lease, LeaseRequest, Settings};

use crate::until;

/// How long a test waits for other tests to end if all ports are in use.
const PATIENCE: Duration = Duration::from_secs(120);

/// Consecutive ports, and their notation as a pool.
#[derive(Debug)]
pub struct Slice {
    ports: Vec<u16>,
    pool: String,
    _lease: Option<Lease>,
}

impl Slice {
    /// `count` ports without any sockets on them, until this is dropped.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let slices = Settings::new()
            .directory(std::env::temp_dir().join("portalloc-test-ports"))
            .pool("11435-29999")
            .exclude("")
            .open()
            .expect("the registry of slices opens");
        let lease = slices.lease(LeaseRequest::run(count).wait(PATIENCE)).expect("a slice of ports comes free");
        // A program that another test is starting has copies of the probe's sockets until exec.
        until("no process has a socket of the slice's probe", || {
            let reports = slices.who(lease.ports().iter().copied()).expect("the sockets");
            !reports.iter().any(PortReport::is_in_use)
        });
        Self::of(lease.ports().to_vec(), Some(lease))
    }

    /// `count` ports starting at `first`, for a process in its own network namespace, in which no other test runs.
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

    /// The first port.
    #[must_use]
    pub fn base(&self) -> u16 {
        self.ports.first().copied().unwrap_or_default()
    }

    /// All ports in ascending order.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The value of `PORTALLOC_POOL`.
    #[must_use]
    pub fn pool(&self) -> &str {
        &self.pool
    }
}
