//! Filling a pool of 10,000 ports, five neighbours at a time, wherever chance puts them: what a lease costs in what is left,
//! and the error when nothing is.

use portalloc::environment::EnvFile;
use portalloc::{Allocator, EnvironmentRequest, ErrorCode};

use super::holders::{Holders, Take};
use super::report::Report;
use crate::Scratch;
use crate::measure::time;

pub(super) const PART: &str = "fill";
const POOL: &str = "10000-19999";
/// Two known services are left out of it, 11211 and 15672, and what they leave that is not a run of five is, too.
const LEFTOVERS: &str = "11210,19998,19999";
const RUN: usize = 5;

/// What the pool is filled with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filling {
    LeasesOfFive,
    LeasesOfOne,
    Kept,
    Foreign,
}

impl Filling {
    const ALL: [(Self, &str); 4] = [
        (Self::LeasesOfFive, "leases of 5"),
        (Self::LeasesOfOne, "leases of 1"),
        (Self::Kept, "kept environments of 5"),
        (Self::Foreign, "foreign sockets"),
    ];
}

pub(super) fn run(report: &mut Report) {
    let per_mille = report
        .sizes(&[0, 500, 990, 1000], &[0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 980, 990, 995, 999, 1000]);
    for (filling, name) in Filling::ALL {
        let scratch = Scratch::new();
        let allocator = scratch.settings().pool(POOL).exclude(LEFTOVERS).open().unwrap();
        let runs = shuffled(runs(&allocator));
        let mut holders = Holders::default();
        let mut filled = 0;
        for per_mille in per_mille.iter().copied() {
            let wanted = runs.len() * per_mille / 1000;
            fill(filling, &allocator, &scratch, &mut holders, runs.get(filled..wanted).unwrap());
            filled = wanted;
            for count in [1, RUN] {
                let what = format!("lease of {count} among {name}");
                measure(report, &what, per_mille as f64 / 10.0, &allocator, count);
            }
        }
    }
}

fn measure(report: &mut Report, what: &str, percent: f64, allocator: &Allocator, count: usize) {
    let is_full = percent >= 100.0;
    let [figure] = report.sample(|| {
        let mut had = None;
        let taken = time(|| had = Some(allocator.lease(count)));
        match had.unwrap() {
            Ok(_) => assert!(!is_full, "a lease in a full pool"),
            Err(error) => assert!(is_full && error.code() == ErrorCode::PoolExhausted, "{error}"),
        }
        [taken]
    });
    report.add(PART, what, percent, figure);
}

fn fill(filling: Filling, allocator: &Allocator, scratch: &Scratch, holders: &mut Holders, runs: &[Vec<u16>]) {
    let ones = || runs.iter().flatten().map(|port| vec![*port]).collect::<Vec<_>>();
    match filling {
        Filling::LeasesOfFive => holders.take(&scratch.directory(), Take::Lease, runs),
        Filling::LeasesOfOne => holders.take(&scratch.directory(), Take::Lease, &ones()),
        Filling::Foreign => holders.take(&scratch.directory(), Take::Sockets, &ones()),
        Filling::Kept => {
            let request = EnvironmentRequest::new().kept().worktree(std::env::temp_dir()).env_file(EnvFile::None);
            for ports in runs {
                drop(allocator.create_environment(&request.clone().exact(ports.iter().copied())).unwrap());
            }
        }
    }
}

/// The pool as runs of five.
fn runs(allocator: &Allocator) -> Vec<Vec<u16>> {
    let ports: Vec<u16> = allocator.pool().ports().ports().collect();
    let runs: Vec<Vec<u16>> =
        ports.chunk_by(|a, b| a + 1 == *b).flat_map(|range| range.chunks(RUN).map(<[u16]>::to_vec)).collect();
    assert!(runs.iter().all(|run| run.len() == RUN), "the leftovers are others by now");
    runs
}

/// In an order that is always the same, without being regular.
fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    let mut state = 1_u64;
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (state >> 33) as usize % (last + 1));
    }
    items
}
