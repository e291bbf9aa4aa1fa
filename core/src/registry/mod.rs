//! The shared folder in which leases meet: the `ports` file (locks and labels) and the records of environments, one
//! sub-folder per network namespace. Knows paths and formats, neither sockets nor policy.

mod folder;
mod label;
mod ports_file;
mod records;
mod repair;
mod standing;
mod sweep;

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::SmallRng;

pub(crate) use label::{Claim, Label, Slot};
pub(crate) use ports_file::PortsFile;
pub use records::{Lifetime, Record, RecordPorts};
pub(crate) use records::{Records, Stored, project_name, still_stands};
pub use repair::{Repair, RepairKind};
pub(crate) use standing::Standing;
pub(crate) use sweep::is_number;

use crate::error::{Error, ErrorCode, Result};
use crate::random::{self, Generators};
use crate::sys::{self, Folder, ProcessStamp};

/// How old the last look at the path of the `ports` file may be. Looking at every lease would cost a twentieth of it,
/// and somebody who replaces the file an instant later is noticed no sooner.
const LOOK_INTERVAL_MS: u64 = 10;

/// The folder in which sticky requests keep their ports in mind.
const MEMORY: &str = "sticky";

/// An open registry.
pub(crate) struct Registry {
    root: PathBuf,
    path: PathBuf,
    ports_path: PathBuf,
    folder: Folder,
    identity: Identity,
    looked_at_ms: AtomicU64,
    records: Records,
    /// The process that opened it, and what else does not change while it is open.
    opener: ProcessStamp,
    user: u32,
    /// None on a kernel that does not number network namespaces for sockets.
    namespace_cookie: Option<u64>,
    mount_namespace: u64,
    generators: Generators,
}

/// Which file it is, whatever path leads to it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Of an open file; by the cheapest of the kernel's calls, because every lease asks.
    fn of_open(file: &std::fs::File) -> io::Result<Self> {
        let stat = rustix::fs::fstat(file)?;
        Ok(Self { device: stat.st_dev, inode: stat.st_ino })
    }
}

impl Registry {
    /// Opens the registry for the network namespace of the calling thread, making what is missing.
    pub(crate) fn open(directory: Option<PathBuf>) -> Result<Self> {
        let root = folder::root(directory)?;
        let of_proc = |error| Error::os("cannot tell this process's namespaces and start time from /proc", error);
        let namespace = sys::network_namespace().map_err(of_proc)?;
        let opener = ProcessStamp::current().map_err(of_proc)?;
        let mount_namespace = sys::mount_namespace().map_err(of_proc)?;
        let generators = Generators::new().map_err(|error| Error::os("cannot read random bytes", error))?;
        let path = root.join(format!("net-{namespace}"));
        let envs = path.join("envs");
        let folder = folder::open(Some(&folder::open(None, &root)?), &path)?;
        let records = folder::open(Some(&folder), &envs)?;
        let mut registry = Self {
            folder,
            records: Records::new(envs, records),
            ports_path: path.join("ports"),
            identity: Identity { device: 0, inode: 0 },
            looked_at_ms: AtomicU64::new(0),
            user: sys::user_id(),
            namespace_cookie: sys::cookie(),
            root,
            path,
            opener,
            mount_namespace,
            generators,
        };
        registry.identity = registry.make_ports_file()?;
        registry.look(sys::monotonic_ms())?;
        Ok(registry)
    }

    /// The registry's folder, in which each network namespace has its own.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of this network namespace.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn ports_path(&self) -> &Path {
        &self.ports_path
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// The folder in which sticky requests keep their ports in mind, made when it is first needed.
    pub(crate) fn memory(&self) -> Result<Folder> {
        folder::open(Some(&self.folder), &self.path.join(MEMORY))
    }

    /// The user who opened it.
    pub(crate) fn user(&self) -> u32 {
        self.user
    }

    /// Whether a socket is in the network namespace whose registry this is; so it is, where that cannot be told.
    pub(crate) fn is_home_of(&self, socket: &impl AsFd) -> bool {
        self.is_own(|| sys::cookie_of(socket))
    }

    /// Whether the calling thread is. At the descriptor limit it cannot be told, which is no sign that it is not.
    pub(crate) fn is_at_home(&self) -> bool {
        self.is_own(sys::cookie)
    }

    fn is_own(&self, cookie: impl FnOnce() -> Option<u64>) -> bool {
        self.namespace_cookie.is_none_or(|own| cookie().is_none_or(|other| other == own))
    }

    /// The mount namespace in which it was opened.
    pub(crate) fn mount_namespace(&self) -> u64 {
        self.mount_namespace
    }

    /// The stamp of the calling process: of the one that opened the registry, or of a forked child of it.
    pub(crate) fn process(&self) -> Result<ProcessStamp> {
        if std::process::id() == self.opener.pid {
            return Ok(self.opener);
        }
        ProcessStamp::current().map_err(|error| Error::os("cannot read this process's entry in /proc", error))
    }

    /// Randomness for one lease.
    pub(crate) fn random(&self, here: &ProcessStamp) -> SmallRng {
        self.generators.next(here.pid)
    }

    /// A new open file description of the `ports` file.
    pub(crate) fn ports(&self) -> Result<PortsFile> {
        let now = sys::monotonic_ms();
        if now.saturating_sub(self.looked_at_ms.load(Ordering::Relaxed)) >= LOOK_INTERVAL_MS {
            self.look(now)?;
        }
        let failed = |error| Error::registry(format!("cannot open {}", self.ports_path.display()), error);
        let file = ports_file::open(&self.folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.replaced("is gone"),
            _ => failed(error),
        })?;
        // Whatever took its place since the last look is not what labels are written to.
        if Identity::of_open(&file).map_err(failed)? != self.identity {
            return Err(self.replaced("is not the one that was opened"));
        }
        Ok(PortsFile::new(file))
    }

    /// Makes sure that the path still leads to the file that was opened, and that the file has its size.
    fn look(&self, now: u64) -> Result<()> {
        let metadata = match std::fs::symlink_metadata(&self.ports_path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.replaced("is gone")),
            Err(error) => return Err(Error::registry(format!("cannot look at {}", self.ports_path.display()), error)),
        };
        if Identity::of(&metadata) != self.identity || !self.records.is_in_place() {
            return Err(self.replaced("or its folder of records is not the one that was opened"));
        }
        if let Some(why) = ports_file::distrust(&metadata) {
            return Err(self.not_a_ports_file(why));
        }
        if metadata.len() != ports_file::FILE_SIZE {
            self.restore()?;
        }
        self.looked_at_ms.store(now, Ordering::Relaxed);
        Ok(())
    }

    /// Restores a file that was truncated or blown up: first the labels of kept environments, then the size, so that
    /// nobody who finds the right size misses a label.
    fn restore(&self) -> Result<()> {
        let failed = |error| Error::registry(format!("cannot restore {}", self.ports_path.display()), error);
        let file = ports_file::open(&self.folder).map_err(failed)?;
        if Identity::of_open(&file).map_err(failed)? != self.identity {
            return Err(self.replaced("is not the one that was opened"));
        }
        let ports = PortsFile::new(file);
        self.relabel(&ports)?;
        ports.resize().map_err(failed)
    }

    fn replaced(&self, how: &str) -> Error {
        Error::new(
            ErrorCode::RegistryUnusable,
            format!(
                "the registry's file {} {how}: somebody removed or replaced it while it was in use",
                self.ports_path.display()
            ),
            "end the processes that hold leases from before and start anew; nobody but portalloc should touch that folder",
        )
    }

    /// Makes the `ports` file if there is none, and says which file it is.
    fn make_ports_file(&self) -> Result<Identity> {
        let failed = |error| Error::registry(format!("cannot open {}", self.ports_path.display()), error);
        match sys::entry(&self.ports_path).map_err(failed)? {
            Some(entry) if !entry.is_file() => {
                return Err(self.not_a_ports_file(&format!("{} and not a plain file", entry.describe())));
            }
            Some(_) => {}
            None => self.publish_ports_file()?,
        }
        let metadata = ports_file::open(&self.folder).and_then(|file| file.metadata()).map_err(failed)?;
        match ports_file::distrust(&metadata) {
            Some(why) => Err(self.not_a_ports_file(why)),
            None => Ok(Identity::of(&metadata)),
        }
    }

    fn not_a_ports_file(&self, what: &str) -> Error {
        Error::new(
            ErrorCode::RegistryUnusable,
            format!("{} is {what}", self.ports_path.display()),
            "remove it if it is yours, or set PORTALLOC_DIR to another folder",
        )
    }

    /// The file is complete before it appears: with its size, its mode, and the labels of the environments that have
    /// records.
    fn publish_ports_file(&self) -> Result<()> {
        let failed = |error| Error::registry(format!("cannot make {}", self.ports_path.display()), error);
        let name = format!("ports{}{:016x}", sys::UNFINISHED, random::number().map_err(failed)?);
        let new = OsStr::new(&name);
        let filled = self.folder.create_shared(new).map_err(failed).and_then(|file| {
            let ports = PortsFile::new(file);
            ports.resize().map_err(failed)?;
            self.relabel(&ports)
        });
        let made = filled.and_then(|_| match self.folder.rename_new(new, OsStr::new("ports")) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|()| true).map_err(failed),
        });
        if !matches!(made, Ok(true)) {
            // Somebody else was first, or it failed for good.
            let _ = self.folder.remove(new);
        }
        made.map(|_| ())
    }
}
