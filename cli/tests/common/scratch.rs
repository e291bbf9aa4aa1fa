//! What the binaries of tests share: a place of its own for each test, with registry, pool, temp folder and work tree.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failure is a failed test"
)]

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use portalloc::{Allocator, Lease, Settings};
use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");

/// How long a condition may take on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Size of a port's slot in the registry's `ports` file.
const SLOT: u64 = 64;

/// Where one test's processes meet, and nobody else's.
pub(crate) struct Scratch {
    folder: TempDir,
    slice: Lease,
}

impl Scratch {
    /// With a pool of 60 ports.
    pub(crate) fn new() -> Self {
        Self::with_pool_of(60)
    }

    /// With a pool of `count` consecutive ports.
    pub(crate) fn with_pool_of(count: usize) -> Self {
        let (slice, _) = crate::slice::slice(count);
        let folder = tempfile::Builder::new().prefix("portalloc-cli-").tempdir().expect("a scratch folder");
        for name in ["temp", "work", "elsewhere"] {
            fs::create_dir(folder.path().join(name)).expect("a folder in the scratch folder");
        }
        Self { folder, slice }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `TMPDIR`.
    pub(crate) fn temp(&self) -> PathBuf {
        self.path().join("temp")
    }

    /// The work tree, where commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    /// A folder that has nothing to do with any environment.
    pub(crate) fn elsewhere(&self) -> PathBuf {
        self.path().join("elsewhere")
    }

    /// `PORTALLOC_DIR`.
    pub(crate) fn registry(&self) -> PathBuf {
        self.path().join("registry")
    }

    /// The registry's part for this network namespace.
    fn namespace(&self) -> PathBuf {
        let namespace = fs::metadata("/proc/self/ns/net").expect("the network namespace").ino();
        self.registry().join(format!("net-{namespace}"))
    }

    /// Where the record of an environment stands.
    pub(crate) fn record(&self, id: &str) -> PathBuf {
        self.namespace().join("envs").join(format!("{id}.json"))
    }

    /// The pool's ports.
    pub(crate) fn ports(&self) -> &[u16] {
        self.slice.ports()
    }

    /// `PORTALLOC_POOL`: some of the pool's ports, by index.
    pub(crate) fn pool(&self, first: usize, last: usize) -> String {
        format!("{}-{}", self.ports()[first], self.ports()[last])
    }

    /// The registry in this process, for leases of another holder than the commands.
    pub(crate) fn allocator(&self) -> Allocator {
        let pool = self.pool(0, self.ports().len() - 1);
        Settings::new().directory(self.registry()).pool(pool).exclude("").open().expect("the registry opens")
    }

    /// Any program in this place, with nothing of the developer's own settings. `portalloc` is the binary under test.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let inherited = [
            "ISOLATION_ID",
            "GITHUB_ENV",
            "GITHUB_OUTPUT",
            "NO_COLOR",
            "COLUMNS",
            "PORTALLOC_EXCLUDE",
            "LISTEN_FDS",
            "LISTEN_PID",
            "LISTEN_FDNAMES",
        ];
        for name in inherited {
            command.env_remove(name);
        }
        let folder = Path::new(PORTALLOC).parent().expect("the binary is in a folder");
        let others = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("{}:{others}", folder.display()))
            .env("PORTALLOC_DIR", self.registry())
            .env("PORTALLOC_POOL", self.pool(0, self.ports().len() - 1))
            .env("TMPDIR", self.temp())
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// `portalloc` with these arguments.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = self.program(PORTALLOC);
        command.args(arguments);
        command
    }

    /// A script for the real `sh`.
    pub(crate) fn sh(&self, script: &str) -> Command {
        let mut command = self.program("sh");
        command.args(["-euc", script]);
        command
    }

    /// Runs `portalloc` in the work tree.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Run {
        run(&mut self.command(arguments))
    }

    /// What `create --json` says, with more options.
    pub(crate) fn create(&self, options: &[&str]) -> Value {
        self.run(["create", "--json"].iter().chain(options)).json()
    }

    /// What `list --json` says of the environments.
    pub(crate) fn environments(&self) -> Vec<Value> {
        self.run(["list", "--json"]).json()["environments"].as_array().expect("an array of environments").clone()
    }

    /// What `list --json` says of one environment.
    pub(crate) fn environment(&self, id: &str) -> Value {
        let found = self.environments().into_iter().find(|environment| environment["isolation_id"] == id);
        found.unwrap_or_else(|| panic!("{id} is not listed"))
    }

    /// Writes into the slot of a port, behind portalloc's back.
    pub(crate) fn scribble(&self, port: u16, bytes: [u8; SLOT as usize]) {
        let file = OpenOptions::new().write(true).open(self.namespace().join("ports")).expect("the ports file");
        file.write_all_at(&bytes, u64::from(port) * SLOT).expect("the slot is written");
    }

    /// Fails unless nothing of any environment is left: no record, no label, no temp dir, and in the work tree
    /// nothing but `expected`.
    pub(crate) fn assert_nothing_left(&self, expected: &[&str]) {
        assert_eq!(names(&self.work()), expected, "in the work tree");
        self.assert_no_environment_left();
    }

    /// The same, whatever is in the work tree.
    pub(crate) fn assert_no_environment_left(&self) {
        assert_eq!(names(&self.temp()), [""; 0], "in the temp folder");
        let namespace = self.namespace();
        if namespace.exists() {
            // At the limit on descriptors it may not have come so far as to make the folder of records.
            if namespace.join("envs").exists() {
                assert_eq!(names(&namespace.join("envs")), [""; 0], "records");
            }
            // Without the file there are no labels. Before them stands the header.
            let labels = fs::read(namespace.join("ports")).unwrap_or_default();
            assert!(labels.iter().skip(SLOT as usize).all(|byte| *byte == 0), "labels are left");
        }
    }
}

/// How a program ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Run {
    /// Negative: killed by that signal.
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Its standard output, if it succeeded.
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.stdout
    }

    /// Its standard output as JSON, if it succeeded.
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.succeeded()).expect("JSON")
    }

    /// What it wrote to standard error, if it ended with `status` and has no result.
    pub(crate) fn failed(self, status: i32) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (status, ""), "{self:?}");
        assert!(!self.stderr.is_empty(), "it failed without a word");
        self.stderr
    }

    /// Fails unless standard error tells this error code, and nothing of a panic.
    pub(crate) fn failed_with(self, status: i32, code: &str) -> String {
        let stderr = self.failed(status);
        assert!(stderr.starts_with(&format!("portalloc: {code}: ")), "{stderr}");
        stderr
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { status: status(output.status), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// As [`Run::status`] has it.
pub(crate) fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().expect("a signal"))
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    command.output().expect("it starts").into()
}

/// The isolation ID in what `create --json` says.
pub(crate) fn id(created: &Value) -> String {
    created["isolation_id"].as_str().expect("an isolation ID").to_owned()
}

/// The ports in what `create --json` says.
pub(crate) fn ports(created: &Value) -> Vec<u16> {
    serde_json::from_value(created["ports"]["ports"].clone()).expect("ports")
}

/// A path in what `create --json` says.
pub(crate) fn path(created: &Value, key: &str) -> PathBuf {
    created[key].as_str().unwrap_or_else(|| panic!("no path {key}")).into()
}

/// The names in a folder, sorted, without what every folder of a registry has.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != ".keep");
    names.sort_unstable();
    names
}

/// Waits until `condition` holds; fails the test if it never does.
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        std::thread::yield_now();
    }
}
