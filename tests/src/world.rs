//! A world of its own for each test: registry, pool, temp folder and work tree.

#![expect(clippy::expect_used, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use portalloc::{Allocator, Lease, Settings};
use tempfile::TempDir;

use crate::Actor;
use crate::slice::slice;

/// Where a test's processes meet, and nobody else's.
#[derive(Debug)]
pub struct World {
    scratch: TempDir,
    slice: Lease,
    pool: String,
    program: &'static str,
    /// Let go of last.
    _turn: Turn,
}

/// A program that one test starts has copies of the sockets of all others in this process until it is executed: a port
/// that was probed or closed a moment ago is still bound. Whoever wants to be sure of ports takes the turn of all.
static PROGRAMS: RwLock<()> = RwLock::new(());

#[derive(Debug)]
enum Turn {
    WithOthers { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

impl World {
    /// With a pool of `count` ports, for a test that leaves leases to its actors. `program` is
    /// `env!("CARGO_BIN_EXE_actor")`, which only tests know.
    #[must_use]
    pub fn new(program: &'static str, count: usize) -> Self {
        let guard = PROGRAMS.read().unwrap_or_else(PoisonError::into_inner);
        Self::taking(Turn::WithOthers { _guard: guard }, program, count)
    }

    /// As [`new`](Self::new), for a test that leases in its own process: no other test of this process has a world
    /// meanwhile.
    #[must_use]
    pub fn alone(program: &'static str, count: usize) -> Self {
        let guard = PROGRAMS.write().unwrap_or_else(PoisonError::into_inner);
        Self::taking(Turn::Alone { _guard: guard }, program, count)
    }

    fn taking(turn: Turn, program: &'static str, count: usize) -> Self {
        let (slice, pool) = slice(count);
        let scratch = tempfile::Builder::new().prefix("portalloc-test-").tempdir().expect("a scratch folder");
        for folder in ["temp", "work"] {
            fs::create_dir(scratch.path().join(folder)).expect("a folder in the scratch folder");
        }
        Self { scratch, slice, pool, program, _turn: turn }
    }

    /// The first port of the pool.
    #[must_use]
    pub fn base(&self) -> u16 {
        self.slice.base_port()
    }

    /// The ports of the pool.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        self.slice.ports()
    }

    /// The pool in portalloc's notation.
    #[must_use]
    pub fn pool(&self) -> String {
        self.pool.clone()
    }

    /// A folder for whatever a test needs.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// `PORTALLOC_DIR`.
    #[must_use]
    pub fn registry(&self) -> PathBuf {
        self.scratch.path().join("registry")
    }

    /// The part of the registry for this network namespace; it exists once an allocator was opened.
    #[must_use]
    pub fn namespace(&self) -> PathBuf {
        let own = fs::metadata("/proc/self/ns/net").expect("the network namespace");
        self.registry().join(format!("net-{}", std::os::unix::fs::MetadataExt::ino(&own)))
    }

    /// The `ports` file.
    #[must_use]
    pub fn ports_file(&self) -> PathBuf {
        self.namespace().join("ports")
    }

    /// The record of an environment.
    #[must_use]
    pub fn record(&self, id: &str) -> PathBuf {
        self.namespace().join("envs").join(format!("{id}.json"))
    }

    /// The actors' `TMPDIR`.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.scratch.path().join("temp")
    }

    /// The actors' current folder.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.scratch.path().join("work")
    }

    /// What an allocator in this process is opened with.
    pub fn settings(&self) -> Settings {
        Settings::new().directory(self.registry()).pool(self.pool()).exclude("")
    }

    /// An allocator in this process: for looks, and in a world [`alone`](Self::alone) for leases. Environments are the
    /// actors', for the sake of `TMPDIR`.
    #[must_use]
    pub fn allocator(&self) -> Allocator {
        self.settings().open().expect("the registry opens")
    }

    /// Makes `program` run in this world.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PORTALLOC_DIR", self.registry())
            .env("PORTALLOC_POOL", self.pool())
            .env("TMPDIR", self.temp())
            .env_remove("PORTALLOC_EXCLUDE")
            .current_dir(self.work());
        command
    }

    /// The path of the actor's program.
    #[must_use]
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// A process in this world.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::spawn(self.command(self.program))
    }

    /// Several.
    #[must_use]
    pub fn actors(&self, count: usize) -> Vec<Actor> {
        (0..count).map(|_| self.actor()).collect()
    }

    /// The names in a folder, sorted, without what every folder of a registry has; those of the temp folder and the work
    /// tree show what was left behind.
    #[must_use]
    pub fn names(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is readable");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name != ".keep");
        names.sort_unstable();
        names
    }
}
