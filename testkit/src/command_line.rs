//! The command line under test, in an isolated world.

use std::ffi::OsStr;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Run, World, names, run, skip_unless_root};

const NOBODY: &str = "65534";

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

    /// `portalloc` with these arguments, as the user nobody, from now on with access to the registry, the temp directory and
    /// the worktree. `None` where this process cannot become another user; the test is then skipped.
    #[must_use]
    pub fn as_nobody<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Option<Command> {
        // A copy, since the directory of the build may be closed to others. By a process of its own: of a file that this
        // one writes to, programs that other tests are just starting have copies, and what is open for writing cannot be
        // executed.
        let copy = self.path().join("portalloc");
        if !copy.exists() {
            let copied = Command::new("cp").arg(self.program).arg(&copy).status();
            assert!(copied.is_ok_and(|status| status.success()), "no copy");
        }
        self.open_to_all();
        let nobody = || {
            let mut command = self.program("setpriv");
            command.args(["--reuid", NOBODY, "--clear-groups"]);
            command
        };
        if !nobody().arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            skip_unless_root("only root can be another user");
            return None;
        }
        let mut command = nobody();
        command.arg(copy).args(arguments);
        Some(command)
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
