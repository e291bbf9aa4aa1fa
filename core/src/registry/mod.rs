//! The shared directory in which leases meet: the `ports` file (locks and labels) and the records of environments, one
//! subdirectory per network namespace. Knows paths and formats, neither sockets nor policy.

mod bytes;
mod checksum;
mod demands;
mod directory;
mod examine;
mod header;
mod label;
mod make;
mod namespace;
mod open;
mod place;
mod ports_file;
mod record;
mod records;
mod repair;
mod retire;
mod setup;
mod standing;
mod sweep;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::SmallRng;

pub(crate) use bytes::{environment_byte, worktree_byte};
pub(crate) use examine::chosen_root;
pub(crate) use label::{Claim, ClaimEnd, Label, Slot};
pub(crate) use namespace::Namespace;
pub(crate) use ports_file::{ByteLock, FILE_SIZE as PORTS_FILE_SIZE, PortsFile, RangeLock};
pub use record::{Lifetime, Record, RecordPorts};
pub(crate) use record::{Stored, project_name};
pub(crate) use records::{OpenRecord, Records, making_path, name as record_name};
pub use repair::{Repair, RepairKind};
pub use setup::{SetUp, remove_set_up, remove_set_up_at_next_boot, set_up};
pub(crate) use standing::LabelState;
pub(crate) use sweep::is_number;

pub use crate::sys::ProcessStamp;
pub use crate::time::Timestamp;

use crate::error::{Error, ErrorCode, Result};
use crate::random::Generators;
use crate::sys::{Directory, Marked, PerProcess, words};
use header::Header;
use ports_file::Identity;

/// How often opening a registry is retried while it changes its place, as during `portalloc setup`.
pub(crate) const TRIES: usize = 100;

/// The directory in which sticky requests remember their ports.
const STICKY_DIR: &str = "sticky";

/// The directory in which it is written which environment is that of a worktree.
const WORKTREES_DIR: &str = "by-worktree";

/// An open registry.
pub(crate) struct Registry {
    /// The directory that the caller asked for, if any.
    named: Option<PathBuf>,
    root: PathBuf,
    path: PathBuf,
    ports_path: PathBuf,
    directory: Marked<Directory>,
    identity: Identity,
    /// The header of the `ports` file.
    header: Header,
    records: Records,
    namespace: Namespace,
    /// The stamp of each process that uses this value: the process that opened it, and its forked children.
    process: PerProcess<ProcessStamp>,
    /// The number of live leases that this process has taken.
    live: PerProcess<AtomicUsize>,
    user: u32,
    mount_namespace: u64,
    generators: Generators,
}

impl Registry {
    /// Whether the descriptors that this process has open are still the registry's: the program may have closed them.
    pub(crate) fn is_ours(&self) -> bool {
        self.directory.is_ours() && self.records.is_ours()
    }

    /// The registry's directory, which contains one directory per network namespace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn ports_path(&self) -> &Path {
        &self.ports_path
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// The directory in which sticky requests remember their ports, created when it is first needed.
    pub(crate) fn sticky_dir(&self) -> Result<Directory> {
        directory::open(Some(self.directory.open()), &self.path.join(STICKY_DIR))
    }

    /// The directory in which it is written which environment is that of a worktree, created when it is first needed.
    pub(crate) fn worktrees_dir(&self) -> Result<Directory> {
        directory::open(Some(self.directory.open()), &self.path.join(WORKTREES_DIR))
    }

    /// Opens a file of that directory for reading. Costs one system call, so it does not check whether the directory can
    /// be trusted: the caller checks what is in the file.
    pub(crate) fn open_of_worktree(&self, name: &str) -> io::Result<std::fs::File> {
        self.directory.open().read(Path::new(WORKTREES_DIR).join(name).as_os_str())
    }

    /// The path of a file of that directory, for people.
    pub(crate) fn path_of_worktree(&self, name: &str) -> PathBuf {
        self.path.join(WORKTREES_DIR).join(name)
    }

    /// The user who opened the registry.
    pub(crate) fn user(&self) -> u32 {
        self.user
    }

    /// The network namespace whose ports these are.
    pub(crate) fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// The mount namespace in which the registry was opened.
    pub(crate) fn mount_namespace(&self) -> u64 {
        self.mount_namespace
    }

    /// The stamp of the calling process: the one that opened the registry, or a forked child of it.
    pub(crate) fn process(&self) -> Result<ProcessStamp> {
        self.process
            .get_or_try_make(ProcessStamp::current)
            .copied()
            .map_err(|error| Error::os(words::NO_PROCESS, error))
    }

    /// The error of a registry whose files are no longer the ones that were opened. The caller opens it again, unless
    /// that would hide that existing leases of this process have lost their protection.
    pub(crate) fn gone(&self, how: &str) -> Error {
        if !self.is_ours() || self.live().load(Ordering::Relaxed) == 0 {
            return Error::registry_gone();
        }
        Error::new(
            ErrorCode::RegistryUnusable,
            format!(
                "the registry's file {} {how}: a program removed or replaced it while it was in use",
                self.ports_path.display()
            ),
            "restart the processes that still hold leases from before; only portalloc should change that directory",
        )
        .of_lost_lease()
    }

    /// The number of live leases that this process has taken.
    pub(crate) fn live(&self) -> &AtomicUsize {
        self.live.get()
    }

    /// Random numbers for one lease.
    pub(crate) fn random(&self) -> Result<SmallRng> {
        self.generators.next().map_err(|error| Error::os("cannot read random bytes", error))
    }

    /// An open file description of the `ports` file, which can be told apart from every other one of this process.
    fn described(&self, file: std::fs::File, identity: Identity) -> io::Result<PortsFile> {
        PortsFile::new(file, self.generators.number()?, identity)
    }

    /// Opens a new file description of the `ports` file.
    pub(crate) fn ports(&self) -> Result<PortsFile> {
        self.described(self.open_ports()?, self.identity).map_err(|error| self.unopened(error))
    }

    /// As [`ports`](Self::ports), to look at labels and locks during one call, and to take no lock.
    pub(crate) fn ports_to_look(&self) -> Result<PortsFile> {
        PortsFile::unmarked(self.open_ports()?, self.identity).map_err(|error| self.unopened(error))
    }

    fn open_ports(&self) -> Result<std::fs::File> {
        // Opened by its path, to detect a registry that was moved away: once a lock is taken, the opened file is
        // compared with the registry's.
        // step: OpenFile
        ports_file::open_at(&self.ports_path).or_else(|error| self.check().and(Err(self.unopened(error))))
    }

    fn unopened(&self, error: io::Error) -> Error {
        Error::registry(format!("cannot open {}", self.ports_path.display()), error)
    }
}
