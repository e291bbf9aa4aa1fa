//! Kept environments live, all of one worktree, the hardest for the rule of env files: what making, finding and removing
//! one costs, and what looking at all of them does. Floors: the bare file operations, reading as many small files, and a
//! process that does nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::{EnvFile, Syntax, render};
use portalloc::{Allocator, EnvironmentRequest, IsolationId};

use super::report::Report;
use crate::measure::time;
use crate::{Scratch, floor};

pub(super) const PART: &str = "environments";
/// Room for all of them and for those that come and go.
const POOL: &str = "10000-22999";
/// Outside of the pool.
const FLOOR_PORT: u16 = 30_000;

pub(super) fn run(report: &mut Report) {
    let sizes = report.sizes(&[0, 10, 100], &[0, 10, 100, 1000, 5000]);
    let scratch = Scratch::new();
    let worktree = tempfile::tempdir().unwrap();
    let allocator = scratch.settings().pool(POOL).open().unwrap();
    let request = EnvironmentRequest::new().kept().ports(1).worktree(worktree.path()).env_file(EnvFile::Worktree);
    let one = allocator.create_environment(&request).unwrap();
    let mut live = 0;
    for size in sizes {
        for _ in live..size {
            drop(allocator.create_environment(&request).unwrap());
        }
        live = size;
        let at = size as f64;
        one_by_one(report, at, &allocator, &request, &scratch, one.id());
        all_of_them(report, at, &allocator, &scratch, size + 1);
        processes(report, at, &allocator, &scratch, worktree.path());
    }
}

fn one_by_one(
    report: &mut Report,
    at: f64,
    allocator: &Allocator,
    request: &EnvironmentRequest,
    scratch: &Scratch,
    one: IsolationId,
) {
    let record = serde_json::to_vec_pretty(allocator.attach(one).unwrap().record()).unwrap();
    let env_file = render(&allocator.attach(one).unwrap().variables(), Syntax::Dotenv);
    let bare = tempfile::tempdir().unwrap();
    let (ports, records) = (scratch.ports_path(), records(scratch));
    let [create, cleanup, floor] = report.sample(|| {
        let mut made = None;
        let create = time(|| made = Some(allocator.create_environment(request).unwrap().id()));
        let id = Selection::Id(made.unwrap());
        let cleanup = time(|| allocator.cleanup(&Cleanup::new(id)).unwrap());
        let floor = time(|| {
            floor::environment(&ports, &records, bare.path(), FLOOR_PORT, 1, &record, env_file.as_bytes());
        });
        [create, cleanup, floor]
    });
    report.add(PART, "create", at, create);
    report.add(PART, "cleanup of one", at, cleanup);
    report.add(PART, "bare file operations of both", at, floor);
    let [attach, validate] =
        report.sample(|| [time(|| allocator.attach(one).unwrap()), time(|| allocator.validate(one).unwrap())]);
    report.add(PART, "attach", at, attach);
    report.add(PART, "validate", at, validate);
}

fn all_of_them(report: &mut Report, at: f64, allocator: &Allocator, scratch: &Scratch, count: usize) {
    let records = records(scratch);
    let read_all = || fs::read_dir(&records).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    let [list, stale, reconcile, floor] = report.sample(|| {
        let mut listed = 0;
        let list = time(|| {
            let listing = allocator.list().unwrap();
            listed = listing.environments.len();
            listing
        });
        assert_eq!(listed, count, "environments are missing in the list");
        let stale = time(|| allocator.cleanup(&Cleanup::new(Selection::Stale)).unwrap());
        let reconcile = time(|| assert!(allocator.reconcile().unwrap().is_empty()));
        [list, stale, reconcile, time(|| -> Vec<Vec<u8>> { read_all() })]
    });
    report.add(PART, "list", at, list);
    report.add(PART, "cleanup of stale ones, none of them", at, stale);
    report.add(PART, "reconcile", at, reconcile);
    report.add(PART, "reading as many small files", at, floor);
}

fn processes(report: &mut Report, at: f64, allocator: &Allocator, scratch: &Scratch, worktree: &Path) {
    let program = std::env::current_exe().unwrap().with_file_name("portalloc");
    assert!(program.exists(), "{} is not built", program.display());
    let [create, floor] = report.sample(|| {
        let create = create(&program, scratch, worktree, allocator);
        [create, time(|| Command::new("/bin/true").stdout(Stdio::null()).status().unwrap())]
    });
    report.add(PART, "`portalloc create` as a process", at, create);
    report.add(PART, "`/bin/true` as a process", at, floor);
}

/// One process; the environment that it made is removed while the clock stands.
fn create(program: &Path, scratch: &Scratch, worktree: &Path, allocator: &Allocator) -> Duration {
    let mut command = Command::new(program);
    command.args(["create", "--ports", "1", "--json", "--pool", POOL]).env("PORTALLOC_DIR", scratch.directory());
    command.current_dir(worktree).stdout(Stdio::piped());
    let mut output = None;
    let taken = time(|| output = Some(command.output().unwrap()));
    let made: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let id = made.get("isolation_id").unwrap().as_str().unwrap().parse().unwrap();
    allocator.cleanup(&Cleanup::new(Selection::Id(id))).unwrap();
    taken
}

fn records(scratch: &Scratch) -> PathBuf {
    scratch.ports_path().with_file_name("envs")
}
