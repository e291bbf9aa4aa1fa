//! `portalloc create` as a whole process, against a process that does nothing.
//!
//! Bounds are what a command may add to such a process, not multiples of it: how fast a machine starts `/bin/true` says
//! nothing about what a command does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::{Allocator, EnvironmentRequest};

use crate::Scratch;
use crate::measure::{compare, in_turns, time};

/// What a command that makes an environment may add, a sweep of what killed commands left included: in microseconds.
const CREATE: f64 = 1000.0;
const RUN: f64 = 3000.0;

pub(crate) fn run() {
    let Some(program) = program() else { return };
    run_true(&program);
    for live in [0, 500] {
        let scratch = Scratch::new();
        let worktree = tempfile::tempdir().unwrap();
        let allocator = scratch.settings().open().unwrap();
        let request = EnvironmentRequest::new().kept().ports(5).worktree(worktree.path()).env_file(EnvFile::None);
        let kept: Vec<_> = (0..live).map(|_| allocator.create_environment(&request).unwrap().id()).collect();
        let (ours, floor) = in_turns(
            500,
            || create(&program, &scratch, worktree.path(), &allocator),
            || time(|| Command::new("/bin/true").stdout(Stdio::null()).status().unwrap()),
        );
        let name = format!("portalloc create, {live} environments live");
        compare(&name, &ours, "/bin/true", &floor, (floor.median() + CREATE) / floor.median());
        drop(kept);
        allocator.cleanup(&Cleanup::new(Selection::All)).unwrap();
    }
}

/// The static command, as the archives have it, if the Makefile built it.
pub(crate) fn program() -> Option<PathBuf> {
    let program = std::env::var_os("PORTALLOC_BENCH_COMMAND")
        .map_or_else(|| std::env::current_exe().unwrap().with_file_name("portalloc"), PathBuf::from);
    if program.exists() {
        return Some(program);
    }
    println!("the command line: skipped, {} is not built", program.display());
    None
}

/// What `portalloc run` adds to the command it runs.
fn run_true(program: &Path) {
    let scratch = Scratch::new();
    scratch.settings().open().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (ours, floor) = in_turns(
        500,
        || {
            let mut command = Command::new(program);
            command
                .args(["run", "--", "/bin/true"])
                .env("PORTALLOC_DIR", scratch.directory())
                .current_dir(directory.path());
            time(|| assert!(command.status().unwrap().success()))
        },
        || time(|| Command::new("/bin/true").status().unwrap()),
    );
    compare("portalloc run -- true", &ours, "/bin/true", &floor, (floor.median() + RUN) / floor.median());
}

/// One process; the environment it made is removed while the clock stands.
fn create(program: &Path, scratch: &Scratch, worktree: &Path, allocator: &Allocator) -> Duration {
    let mut command = Command::new(program);
    command.args(["create", "--ports", "5", "--json"]).env("PORTALLOC_DIR", scratch.directory());
    command.current_dir(worktree).stdout(Stdio::piped());
    let mut output = None;
    let taken = time(|| output = Some(command.output().unwrap()));
    let made: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let id = made.get("isolation_id").unwrap().as_str().unwrap().parse().unwrap();
    allocator.cleanup(&Cleanup::new(Selection::Id(id))).unwrap();
    taken
}
