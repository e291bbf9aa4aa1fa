//! The command line under test, in an isolated world.

use std::ffi::OsStr;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::{Run, World, names, run};

/// A world in which `portalloc` is the binary under test.
#[derive(Debug)]
pub struct CommandLine {
    world: World,
    program: &'static str,
}

impl CommandLine {
    /// A world with a pool of 60 ports. `program` is `env!("CARGO_BIN_EXE_portalloc")`, which only the binary's own
    /// tests know.
    #[must_use]
    pub fn new(program: &'static str) -> Self {
        Self::with_pool_of(program, 60)
    }

    /// A world with a pool of `count` consecutive ports.
    #[must_use]
    pub fn with_pool_of(program: &'static str, count: usize) -> Self {
        let world = World::new(count).with_programs(Path::new(program).parent().expect("the binary is in a directory"));
        fs::create_dir(world.path().join("elsewhere")).expect("a directory in the scratch directory");
        Self { world, program }
    }

    /// A directory that has nothing to do with any environment.
    #[must_use]
    pub fn elsewhere(&self) -> PathBuf {
        self.path().join("elsewhere")
    }

    /// The value for `--pool`: some of the pool's ports, by index.
    #[must_use]
    pub fn part_of_pool(&self, first: usize, last: usize) -> String {
        let port = |index: usize| self.ports().get(index).expect("a port of the pool");
        format!("{}-{}", port(first), port(last))
    }

    /// `portalloc` with these arguments, in the worktree.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.program(self.program);
        command.args(arguments);
        command
    }

    /// A command that runs a script in the system's `sh`.
    #[must_use]
    pub fn sh(&self, script: &str) -> Command {
        let mut command = self.program("sh");
        command.args(["-euc", script]);
        command
    }

    /// Runs `portalloc` to its end.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        run(&mut self.command(arguments))
    }

    /// The output of `create --json` with further options.
    pub fn create(&self, options: &[&str]) -> Value {
        self.run(["create", "--json"].iter().chain(options)).json()
    }

    /// The environments in the output of `list --json`.
    #[must_use]
    pub fn environments(&self) -> Vec<Value> {
        let listed = self.run(["list", "--json"]).json();
        listed.get("environments").and_then(Value::as_array).expect("an array of environments").clone()
    }

    /// One environment in the output of `list --json`.
    #[must_use]
    pub fn environment(&self, id: &str) -> Value {
        let is_it = |environment: &Value| environment.get("isolation_id").is_some_and(|listed| listed == id);
        self.environments().into_iter().find(is_it).unwrap_or_else(|| panic!("{id} is not listed"))
    }

    /// Fails if an environment has left anything, or if the worktree contains other files than `expected`.
    pub fn assert_nothing_left(&self, expected: &[&str]) {
        assert_eq!(names(self.work()), expected, "in the worktree");
        self.assert_no_environment_left();
    }
}

impl Deref for CommandLine {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}
