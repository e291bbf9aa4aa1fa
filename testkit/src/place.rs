//! The directories of one test: a registry, a temp directory and a worktree. Knows no ports.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Size of a port's slot in the registry's `ports` file, in bytes.
const SLOT: u64 = 64;

/// Variables that a developer, a CI system or another portalloc may have set for all programs.
const INHERITED: [&str; 12] = [
    "PORTALLOC_EXCLUDE",
    "PORTALLOC_LOG",
    "ISOLATION_ID",
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// The directories that only the processes of one test share.
#[derive(Debug)]
pub struct Place {
    root: PathBuf,
    programs: Option<PathBuf>,
    _owned: Option<TempDir>,
}

impl Place {
    /// A place in a new directory, which is removed when this is dropped.
    pub(crate) fn new() -> Self {
        let owned = tempfile::Builder::new().prefix("portalloc-test-").tempdir().expect("a scratch directory");
        let place = Self::at(owned.path());
        Self { _owned: Some(owned), ..place }
    }

    /// A place in a directory that the caller has created and removes.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let place = Self { root: root.into(), programs: None, _owned: None };
        for directory in [place.temp(), place.work()] {
            fs::create_dir(directory).expect("a directory in the scratch directory");
        }
        place
    }

    /// Adds a directory in which [`prepare`](Self::prepare)d commands look for programs first.
    #[must_use]
    pub fn with_programs(mut self, directory: impl Into<PathBuf>) -> Self {
        self.programs = Some(directory.into());
        self
    }

    /// Lets every user access the registry, and write to the temp directory and the worktree.
    pub fn open_to_all(&self) {
        for (directory, mode) in [(self.root.clone(), 0o755), (self.temp(), 0o1777), (self.work(), 0o1777)] {
            fs::set_permissions(directory, Permissions::from_mode(mode)).expect("the permissions are set");
        }
    }

    /// The directory that contains all others.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The value of `PORTALLOC_DIR`.
    #[must_use]
    pub fn registry(&self) -> PathBuf {
        self.root.join("registry")
    }

    /// The part of the registry for this network namespace; it exists once an allocator was opened.
    #[must_use]
    pub fn namespace(&self) -> PathBuf {
        let own = fs::metadata("/proc/self/ns/net").expect("the network namespace");
        self.registry().join(format!("net-{}", own.ino()))
    }

    /// The `ports` file.
    #[must_use]
    pub fn ports_file(&self) -> PathBuf {
        self.namespace().join("ports")
    }

    /// The path of an environment's record.
    #[must_use]
    pub fn record(&self, id: &str) -> PathBuf {
        self.namespace().join("envs").join(format!("{id}.json"))
    }

    /// The value of `TMPDIR`.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.root.join("temp")
    }

    /// The worktree, in which commands run.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Makes a command run here, with this pool and without the developer's own settings.
    pub fn prepare<'a>(&self, command: &'a mut Command, pool: &str) -> &'a mut Command {
        for name in INHERITED {
            command.env_remove(name);
        }
        if let Some(programs) = &self.programs {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let paths = std::iter::once(programs.clone()).chain(std::env::split_paths(&path));
            command.env("PATH", std::env::join_paths(paths).expect("directories without a colon"));
        }
        command
            .env("PORTALLOC_DIR", self.registry())
            .env("PORTALLOC_POOL", pool)
            .env("TMPDIR", self.temp())
            .current_dir(self.work())
            .stdin(Stdio::null())
    }

    /// Overwrites the slot of a port from byte `offset` on, without using portalloc.
    pub fn scribble(&self, port: u16, offset: u64, bytes: &[u8]) {
        let file = OpenOptions::new().write(true).open(self.ports_file()).expect("the ports file");
        file.write_all_at(bytes, u64::from(port) * SLOT + offset).expect("the slot is written");
    }

    /// Fails if an environment has left anything in the registry or the temp directory.
    pub fn assert_no_environment_left(&self) {
        assert_eq!(names(self.temp()), [""; 0], "in the temp directory");
        // A command at the descriptor limit may have failed before it created the records directory.
        let records = self.namespace().join("envs");
        if records.exists() {
            assert_eq!(names(records), [""; 0], "records");
        }
        // Without the file there are no labels. The header comes before them.
        let labels = fs::read(self.ports_file()).unwrap_or_default();
        let mut labels = labels.iter().skip(usize::try_from(SLOT).unwrap_or_default());
        assert!(labels.all(|byte| *byte == 0), "labels are left");
    }
}

/// The names in a directory, sorted, without `.keep`, which every directory of a registry has.
#[must_use]
pub fn names(directory: impl AsRef<Path>) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory is readable");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != ".keep");
    names.sort_unstable();
    names
}
