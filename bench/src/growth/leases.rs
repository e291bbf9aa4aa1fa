//! Leases live: what a lease costs, and what looking at all of them does, with leases of one port on the same registry.
//! The floor is what the kernel takes for one more lock on a file that has as many, on a description of its own.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use portalloc::{Allocator, Lease, LeaseRequest};

use super::holders::{Holders, Take};
use super::report::{Figure, Report};
use crate::Scratch;
use crate::measure::time;

pub(super) const PART: &str = "leases";
/// Room for all of them and for those that come and go.
const POOL: &str = "10000-22999";
/// Outside of the pool.
const FLOOR_PORT: u16 = 30_000;
/// Descriptors that this process needs besides.
const SPARE: usize = 200;

pub(super) fn run(report: &mut Report) {
    let sizes = report.sizes(&[0, 100, 1000], &[0, 10, 100, 1000, 3000, 10_000]);
    of_others(report, &sizes);
    of_this_process(report, &sizes);
}

fn of_others(report: &mut Report, sizes: &[usize]) {
    let scratch = Scratch::new();
    let allocator = scratch.settings().pool(POOL).open().unwrap();
    let mut free = allocator.pool().ports().ports();
    let first = free.next().unwrap();
    // Everything else may be taken.
    let mut holders = Holders::default();
    let mut live = 0;
    for size in sizes.iter().copied() {
        let more: Vec<Vec<u16>> = free.by_ref().take(size - live).map(|port| vec![port]).collect();
        holders.take(&scratch.directory(), Take::Lease, &more);
        live = size;
        let at = size as f64;

        let [lease, release, floor] = leases_in_turns(report, &allocator, 1, &scratch.ports_path());
        report.add(PART, "lease of 1", at, lease);
        report.add(PART, "release of 1", at, release);
        report.add(PART, "bare open, lock, unlock and close", at, floor);
        let [lease, release, _] = leases_in_turns(report, &allocator, 5, &scratch.ports_path());
        report.add(PART, "lease of 5", at, lease);
        report.add(PART, "release of 5", at, release);

        let lease = allocator.lease(LeaseRequest::exact([first])).unwrap();
        let [who] = report.sample(|| [time(|| allocator.who([first]).unwrap())]);
        report.add(PART, "who has a leased port", at, who);
        let [list] = report.sample(|| {
            let mut listed = 0;
            let taken = time(|| {
                let listing = allocator.list().unwrap();
                listed = listing.leases.len();
                listing
            });
            assert!(listed > size / 2, "leases are missing in the list");
            [taken]
        });
        report.add(PART, "list", at, list);
        drop(lease);
        let [map] = report.sample(|| [time(|| allocator.pool_map().unwrap())]);
        report.add(PART, "map of the pool", at, map);
        let [census] = report.sample(|| [time(|| allocator.census().unwrap())]);
        report.add(PART, "census", at, census);
    }
}

/// It makes no difference to the kernel whose the locks are.
fn of_this_process(report: &mut Report, sizes: &[usize]) {
    let scratch = Scratch::new();
    let allocator = scratch.settings().pool(POOL).open().unwrap();
    let mut held: Vec<Lease> = Vec::new();
    for size in sizes.iter().copied().filter(|size| size + SPARE < descriptors()) {
        held.extend((held.len()..size).map(|_| allocator.lease(1).unwrap()));
        let [lease, release, _] = leases_in_turns(report, &allocator, 1, &scratch.ports_path());
        report.add(PART, "lease of 1, the others this process's own", size as f64, lease);
        report.add(PART, "release of 1, the others this process's own", size as f64, release);
    }
}

fn leases_in_turns(report: &Report, allocator: &Allocator, count: usize, ports: &Path) -> [Figure; 3] {
    report.sample(|| {
        let mut lease = None;
        let taken = time(|| lease = Some(allocator.lease(count).unwrap()));
        [taken, time(|| drop(lease.take())), bare(ports)]
    })
}

fn bare(ports: &Path) -> Duration {
    let lock = |file: &File, kind: libc::c_int| {
        let lock = libc::flock {
            l_type: kind as libc::c_short,
            l_whence: libc::SEEK_SET as libc::c_short,
            l_start: (1 << 40) + libc::off_t::from(FLOOR_PORT),
            l_len: 1,
            l_pid: 0,
        };
        fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).unwrap();
    };
    time(|| {
        let file = OpenOptions::new().read(true).write(true).open(ports).unwrap();
        lock(&file, libc::F_WRLCK);
        lock(&file, libc::F_UNLCK);
        drop(file);
    })
}

fn descriptors() -> usize {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
