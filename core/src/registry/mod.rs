//! The shared folder in which leases meet: the `ports` file (locks and labels) and the records of environments, one
//! sub-folder per network namespace. Knows paths and formats, neither sockets nor policy.

mod folder;
mod handle;
mod header;
mod label;
mod ports_file;
mod records;
mod repair;
mod retire;
mod setup;
mod standing;
mod sweep;

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;

pub(crate) use handle::Handle;
pub(crate) use label::{Claim, Label, Slot};
pub(crate) use ports_file::PortsFile;
pub use records::{Lifetime, Record, RecordPorts};
pub(crate) use records::{OpenRecord, Records, Stored, making_path, project_name};
pub use repair::{Repair, RepairKind};
pub use setup::{SetUp, remove_set_up, set_up};
pub(crate) use standing::Standing;
pub(crate) use sweep::is_number;

use crate::error::{Error, ErrorCode, Result};
use crate::random::{self, Generators};
use crate::sys::{self, Folder, Marked, PerProcess, ProcessStamp};
use header::{Header, Unusable};
use ports_file::Identity;

/// How old the last look at the path of the `ports` file may be. Looking at every lease would cost a twentieth of it,
/// and somebody who replaces the file an instant later is noticed no sooner.
const LOOK_INTERVAL_MS: u64 = 10;

/// How often a registry is opened that changes its place meanwhile, as it does while `portalloc setup` is at it.
pub(crate) const TRIES: usize = 100;

/// How long the making of a `ports` file waits for a setup, which takes milliseconds.
const SETUP_PATIENCE: Duration = Duration::from_secs(5);

/// The folder in which sticky requests keep their ports in mind.
const MEMORY: &str = "sticky";

/// An open registry.
pub(crate) struct Registry {
    /// The folder that was asked for, if any.
    named: Option<PathBuf>,
    root: PathBuf,
    path: PathBuf,
    ports_path: PathBuf,
    folder: Marked<Folder>,
    identity: Identity,
    /// That of the `ports` file.
    header: Header,
    looked_at_ms: AtomicU64,
    records: Records,
    namespace: Namespace,
    /// What each process that has it is: the one that opened it, and forked children of that.
    process: PerProcess<ProcessStamp>,
    /// Leases that this process has taken of it and not given back.
    live: PerProcess<AtomicUsize>,
    user: u32,
    mount_namespace: u64,
    generators: Generators,
}

/// A network namespace.
#[derive(Clone, Copy)]
struct Namespace {
    /// By which it is known while it exists.
    inode: u64,
    /// By which it is known for ever; none before Linux 5.14.
    cookie: Option<u64>,
}

impl Namespace {
    fn current() -> Result<Self> {
        let inode = sys::network_namespace().map_err(|error| {
            Error::os("cannot tell this thread's network namespace from /proc/thread-self/ns/net", error)
        })?;
        Ok(Self { inode, cookie: sys::cookie() })
    }

    /// Whether a file was made for another one, which had the same inode and is gone.
    fn is_successor_of(self, header: &Header) -> bool {
        self.cookie.is_some_and(|own| header.namespace != 0 && header.namespace != own)
    }
}

impl Registry {
    /// Opens the registry for the network namespace of the calling thread, making what is missing.
    pub(crate) fn open(named: Option<PathBuf>) -> Result<Self> {
        Self::open_for(named, Namespace::current()?)
    }

    /// Opens it anew, for the same network namespace.
    fn reopen(&self) -> Result<Self> {
        Self::open_for(self.named.clone(), self.namespace)
    }

    fn open_for(named: Option<PathBuf>, namespace: Namespace) -> Result<Self> {
        let mut tries = 1..=TRIES;
        loop {
            match Self::open_once(named.clone(), namespace) {
                Err(error) if error.again().is_some() && tries.next().is_some() => {}
                done => return done,
            }
        }
    }

    fn open_once(named: Option<PathBuf>, namespace: Namespace) -> Result<Self> {
        let root = folder::root(named.as_deref())?;
        let opened = Self::open_at(&root, named.clone(), namespace, format!("net-{}", namespace.inode));
        let opened = match opened {
            // Its inode was another's before, whose kept environments are none of this one's business.
            Ok(None) => {
                let path = format!("net-{}-{}", namespace.inode, namespace.cookie.unwrap_or(0));
                Self::open_at(&root, named.clone(), namespace, path)
                    .and_then(|open| open.ok_or_else(Error::registry_gone))
            }
            Ok(Some(open)) => Ok(open),
            Err(error) => Err(error),
        };
        opened.map_err(|error| match named {
            Some(_) => error,
            // A setup has come in between.
            None if !matches!(folder::root(None), Ok(now) if now == root) => Error::registry_gone(),
            None => folder::explain_place(error, &root),
        })
    }

    /// `None`: the folder is that of a network namespace that is gone.
    fn open_at(root: &Path, named: Option<PathBuf>, namespace: Namespace, name: String) -> Result<Option<Self>> {
        let around = folder::open_root(named.as_deref(), root)?;
        // In a folder that is removed meanwhile nothing can be made.
        Self::open_in(&around, root, named, namespace, name).map_err(|error| {
            if around.is_at(root) && !error.is_of_something_absent() { error } else { Error::registry_gone() }
        })
    }

    fn open_in(
        around: &Folder,
        root: &Path,
        named: Option<PathBuf>,
        namespace: Namespace,
        name: String,
    ) -> Result<Option<Self>> {
        let mount_namespace = sys::mount_namespace().map_err(|error| {
            Error::os("cannot tell this process's mount namespace from /proc/thread-self/ns/mnt", error)
        })?;
        let path = root.join(name);
        let envs = path.join("envs");
        let kept = |folder: Folder, path: &Path| {
            folder
                .kept()
                .map_err(|error| Error::registry(format!("cannot use the registry folder {}", path.display()), error))
        };
        let folder = folder::open(Some(around), &path)?;
        let records = kept(folder::open(Some(&folder), &envs)?, &envs)?;
        let mut registry = Self {
            folder: kept(folder, &path)?,
            records: Records::new(envs, records),
            ports_path: path.join("ports"),
            identity: Identity::default(),
            header: Header::new(namespace.cookie),
            looked_at_ms: AtomicU64::new(0),
            user: sys::user_id(),
            named,
            root: root.to_owned(),
            path,
            namespace,
            process: PerProcess::new(),
            live: PerProcess::new(),
            mount_namespace,
            generators: Generators::default(),
        };
        let (identity, header) = registry.make_ports_file()?;
        if namespace.is_successor_of(&header) {
            return Ok(None);
        }
        (registry.identity, registry.header) = (identity, header);
        registry.look(sys::monotonic_ms())?;
        Ok(Some(registry))
    }

    /// Whether what this process has open of it is still what it was: a program may have closed it behind our back.
    pub(crate) fn is_ours(&self) -> bool {
        self.folder.is_ours() && self.records.is_ours()
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
        folder::open(Some(self.folder.open()), &self.path.join(MEMORY))
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
        self.namespace.cookie.is_none_or(|own| cookie().is_none_or(|other| other == own))
    }

    /// The mount namespace in which it was opened.
    pub(crate) fn mount_namespace(&self) -> u64 {
        self.mount_namespace
    }

    /// The stamp of the calling process: of the one that opened the registry, or of a forked child of it.
    pub(crate) fn process(&self) -> Result<ProcessStamp> {
        self.process.get_or_try_make(ProcessStamp::current).copied().map_err(|error| {
            Error::os("cannot tell what this process is from /proc/self/stat and /proc/self/ns", error)
        })
    }

    /// Leases that this process has taken of it and not given back.
    pub(crate) fn live(&self) -> &AtomicUsize {
        self.live.get()
    }

    /// Randomness for one lease.
    pub(crate) fn random(&self) -> Result<SmallRng> {
        self.generators.next().map_err(|error| Error::os("cannot read random bytes", error))
    }

    /// An open description of the `ports` file, told from every other one of this process.
    fn described(&self, file: std::fs::File, identity: Identity) -> io::Result<PortsFile> {
        PortsFile::new(file, self.generators.number()?, identity)
    }

    /// A new open file description of the `ports` file.
    pub(crate) fn ports(&self) -> Result<PortsFile> {
        let now = sys::monotonic_ms();
        if now.saturating_sub(self.looked_at_ms.load(Ordering::Relaxed)) >= LOOK_INTERVAL_MS {
            self.look(now)?;
        }
        let failed = |error| Error::registry(format!("cannot open {}", self.ports_path.display()), error);
        // It is compared with the one that the registry has once a lock of it is taken, and by every look at the path.
        // step: OpenFile
        let file = ports_file::open(self.folder.open()).map_err(|error| match error.kind() {
            // Or the folder's descriptor is another's by now.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => self.gone("is gone"),
            _ if !self.is_ours() => self.gone("is gone"),
            _ => failed(error),
        })?;
        self.described(file, self.identity).map_err(failed)
    }

    /// Makes sure that the path still leads to the file that was opened, and that the file has its size.
    fn look(&self, now: u64) -> Result<()> {
        let metadata = match std::fs::symlink_metadata(&self.ports_path) {
            Ok(metadata) => metadata,
            Err(error) if sys::is_absent(&error) => return Err(self.gone("is gone")),
            Err(error) => return Err(Error::registry(format!("cannot look at {}", self.ports_path.display()), error)),
        };
        if !self.is_ours() || Identity::of(&metadata) != self.identity || !self.records.is_in_place() {
            return Err(self.gone("or its folder of records is not the one that was opened"));
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

    /// Makes sure, after a request that could not be met, that it was not for want of looking in the right place: that of a
    /// registry that nobody named may change by a setup, which has all locks of the old one meanwhile.
    pub(crate) fn check_place(&self) -> Result<()> {
        if self.named.is_none() && folder::root(None)? != self.root {
            return Err(self.gone("is no longer the registry of this machine"));
        }
        self.look(sys::monotonic_ms())
    }

    /// Restores a file that was truncated or blown up: the header, the labels of kept environments, and then the size, so
    /// that nobody who finds the right size misses anything.
    fn restore(&self) -> Result<()> {
        let failed = |error| Error::registry(format!("cannot restore {}", self.ports_path.display()), error);
        let file = ports_file::open(self.folder.open()).map_err(failed)?;
        let ports = self.described(file, self.identity).map_err(failed)?;
        if !ports.is_linked() {
            return Err(self.gone("is not the one that was opened"));
        }
        for _ in 0..TRIES {
            ports.write_header(&self.header).map_err(failed)?;
            self.relabel(&ports)?;
            ports.resize().map_err(failed)?;
            // Else it was truncated meanwhile, and the size would hide that.
            if ports.header().map_err(failed)? == Some(self.header.encode()) {
                break;
            }
        }
        Ok(())
    }

    /// The error of a registry whose files are no longer the ones that were opened. It is opened anew, unless that would
    /// hide that leases of this process count no longer.
    pub(crate) fn gone(&self, how: &str) -> Error {
        if !self.is_ours() || self.live().load(Ordering::Relaxed) == 0 {
            return Error::registry_gone();
        }
        Error::new(
            ErrorCode::RegistryUnusable,
            format!(
                "the registry's file {} {how}: somebody removed or replaced it while it was in use",
                self.ports_path.display()
            ),
            "end the processes that hold leases from before and start anew; nobody but portalloc should touch that folder",
        )
    }

    /// Makes the `ports` file if there is none, and says which file it is and what its header says.
    fn make_ports_file(&self) -> Result<(Identity, Header)> {
        let failed = |error| Error::registry(format!("cannot open {}", self.ports_path.display()), error);
        // step: FindFile
        match sys::entry(&self.ports_path).map_err(failed)? {
            Some(entry) if !entry.is_file() => {
                return Err(self.not_a_ports_file(&format!("{} and not a plain file", entry.describe())));
            }
            Some(_) => {}
            None => self.publish_ports_file()?,
        }
        let file = ports_file::open(self.folder.open()).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::registry_gone(),
            _ => failed(error),
        })?;
        let metadata = file.metadata().map_err(failed)?;
        if let Some(why) = ports_file::distrust(&metadata) {
            return Err(self.not_a_ports_file(why));
        }
        let bytes = ports_file::header(&file).map_err(failed)?;
        let header = match bytes.map(|bytes| Header::decode(&bytes)) {
            Some(Ok(header)) => header,
            // It was cut off, and is written again with what else is restored.
            None => self.header.clone(),
            Some(Err(Unusable::NoHeader)) if bytes == Some([0; _]) && metadata.len() != ports_file::FILE_SIZE => {
                self.header.clone()
            }
            Some(Err(unusable)) => return Err(self.unusable(&unusable)),
        };
        // step: OpenRegistry
        Ok((Identity::of(&metadata), header))
    }

    fn unusable(&self, unusable: &Unusable) -> Error {
        let (path, this) = (self.ports_path.display(), env!("CARGO_PKG_VERSION"));
        let (what, remedy) = match unusable {
            Unusable::NoHeader => (
                format!(
                    "{path} has no header that portalloc {this} knows: an older version made it, or something overwrote it"
                ),
                format!(
                    "install portalloc {this} or newer in every project, end what uses the old one, and remove the file; or \
                     set PORTALLOC_DIR to another folder"
                ),
            ),
            Unusable::Newer(version) => (
                format!("{path} was made by a newer portalloc, and {this} cannot use it"),
                format!("install portalloc {version} or newer, or set PORTALLOC_DIR to another folder"),
            ),
        };
        Error::new(ErrorCode::RegistryUnusable, what, remedy)
    }

    fn not_a_ports_file(&self, what: &str) -> Error {
        Error::new(
            ErrorCode::RegistryUnusable,
            format!("{} is {what}", self.ports_path.display()),
            "remove it if it is yours, or set PORTALLOC_DIR to another folder",
        )
    }

    /// Keeps a setup from changing the registry's place while a `ports` file is made in it. `None` if the place is a named
    /// one, which does not change.
    fn keep_place(&self) -> Result<Option<Folder>> {
        if self.named.is_some() {
            return Ok(None);
        }
        let failed = |error| Error::registry(format!("cannot lock the registry folder {}", self.root.display()), error);
        let start = Instant::now();
        let lock = loop {
            // step: KeepPlace
            match Folder::lock(&self.root, true) {
                Ok(Some(lock)) => break lock,
                Ok(None) if start.elapsed() < SETUP_PATIENCE => {
                    sys::wait_connected(&[], Duration::from_millis(1)).map_err(failed)?;
                }
                Ok(None) => return Err(failed(io::ErrorKind::WouldBlock.into())),
                Err(error) if sys::is_absent(&error) => return Err(Error::registry_gone()),
                Err(error) => return Err(failed(error)),
            }
        };
        // A setup that was quicker has left a folder that nobody opens any more.
        // step: LookAtPlace
        if folder::root(None)? != self.root || !lock.is_at(&self.root) {
            return Err(Error::registry_gone());
        }
        Ok(Some(lock))
    }

    /// The file is complete before it appears: with its size, its mode, its header, and the labels of the environments that
    /// have records.
    fn publish_ports_file(&self) -> Result<()> {
        let failed = |error| Error::registry(format!("cannot make {}", self.ports_path.display()), error);
        // step: HoldPlace
        let _place = self.keep_place()?;
        let folder = self.folder.open();
        // It may have been moved away before its place was kept.
        // step: LookAtFolder
        if !folder.is_at(&self.path) {
            return Err(Error::registry_gone());
        }
        let name = format!("ports{}{:016x}", sys::UNFINISHED, random::number().map_err(failed)?);
        let new = OsStr::new(&name);
        let filled = folder.create_shared(new).map_err(failed).and_then(|file| {
            let identity = Identity::of(&file.metadata().map_err(failed)?);
            let ports = self.described(file, identity).map_err(failed)?;
            ports.resize().map_err(failed)?;
            ports.write_header(&self.header).map_err(failed)?;
            // step: LabelNewFile
            self.relabel(&ports)
        });
        // step: PublishFile
        let made = filled.and_then(|_| match folder.rename_new(new, OsStr::new("ports")) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|()| true).map_err(failed),
        });
        if !matches!(made, Ok(true)) {
            // Somebody else was first, or it failed for good.
            let _ = folder.remove(new);
        }
        made.map(|_| ())
    }
}
