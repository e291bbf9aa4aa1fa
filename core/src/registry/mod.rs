//! The shared folder in which leases meet: the `ports` file (locks and labels) and the records of environments, one
//! sub-folder per network namespace. Knows paths and formats, neither sockets nor policy.

mod folder;
mod label;
mod ports_file;
mod records;
mod repair;
mod standing;

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub(crate) use label::{Claim, Label, Slot};
pub(crate) use ports_file::PortsFile;
pub use records::{Lifetime, Record, RecordPorts};
pub(crate) use records::{Records, Stored, project_name};
pub use repair::{Repair, RepairKind};
pub(crate) use standing::Standing;

use crate::error::{Error, ErrorCode, Result};
use crate::sys::{self, ProcessStamp};

/// An open registry.
pub(crate) struct Registry {
    root: PathBuf,
    folder: PathBuf,
    ports_path: PathBuf,
    identity: Identity,
    records: Records,
    /// The process that opened it.
    opener: ProcessStamp,
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
}

impl Registry {
    /// Opens the registry for the network namespace of the calling thread, making what is missing.
    pub(crate) fn open(directory: Option<PathBuf>) -> Result<Self> {
        let root = folder::root(directory)?;
        let namespace = sys::network_namespace()
            .map_err(|error| Error::os("cannot tell the network namespace: /proc/thread-self/ns/net", error))?;
        let opener =
            ProcessStamp::current().map_err(|error| Error::os("cannot read this process's entry in /proc", error))?;
        let folder = root.join(format!("net-{namespace}"));
        let envs = folder.join("envs");
        for path in [&root, &folder, &envs] {
            folder::ensure(path)?;
        }
        let records = Records::open(&envs)?;
        let ports_path = folder.join("ports");
        let mut registry =
            Self { root, folder, ports_path, identity: Identity { device: 0, inode: 0 }, records, opener };
        let ports = registry.open_or_create()?;
        registry.identity = Identity::of(&registry.plain_file(&ports)?);
        registry.sized(ports)?;
        Ok(registry)
    }

    /// The registry's folder, in which each network namespace has its own.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of this network namespace.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn ports_path(&self) -> &Path {
        &self.ports_path
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// The stamp of the calling process: of the one that opened the registry, or of a forked child of it.
    pub(crate) fn process(&self) -> Result<ProcessStamp> {
        if std::process::id() == self.opener.pid {
            return Ok(self.opener);
        }
        ProcessStamp::current().map_err(|error| Error::os("cannot read this process's entry in /proc", error))
    }

    /// A new open file description of the `ports` file, which is still the one that this registry opened.
    pub(crate) fn ports(&self) -> Result<PortsFile> {
        let file = ports_file::open(&self.ports_path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.replaced("is gone"),
            _ => Error::registry(format!("cannot open {}", self.ports_path.display()), error),
        })?;
        let metadata = self.plain_file(&file)?;
        if Identity::of(&metadata) != self.identity {
            return Err(self.replaced("is not the one that was opened"));
        }
        self.sized(file)
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

    fn plain_file(&self, file: &File) -> Result<std::fs::Metadata> {
        let metadata = file
            .metadata()
            .map_err(|error| Error::registry(format!("cannot read {}", self.ports_path.display()), error))?;
        if metadata.is_file() {
            return Ok(metadata);
        }
        Err(Error::new(
            ErrorCode::RegistryUnusable,
            format!("{} is not a plain file", self.ports_path.display()),
            "remove it if it is yours, or set PORTALLOC_DIR to another folder",
        ))
    }

    /// Restores a file that was truncated or blown up: first the labels of kept environments, then the size, so that
    /// nobody who finds the right size misses a label.
    fn sized(&self, file: File) -> Result<PortsFile> {
        let whole = file.metadata().is_ok_and(|metadata| metadata.len() == ports_file::FILE_SIZE);
        let ports = PortsFile::new(file);
        if !whole {
            self.relabel(&ports)?;
            ports
                .resize()
                .map_err(|error| Error::registry(format!("cannot resize {}", self.ports_path.display()), error))?;
        }
        Ok(ports)
    }

    fn open_or_create(&self) -> Result<File> {
        let io = |error| Error::registry(format!("cannot open {}", self.ports_path.display()), error);
        match ports_file::open(&self.ports_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                return Err(io(error).recast(ErrorCode::RegistryUnusable, "it is a symbolic link: "));
            }
            other => return other.map_err(io),
        }
        // Complete before it appears: with its size, its mode, and the labels of the environments that have records.
        let random = crate::random::number().map_err(io)?;
        let mut name = self.ports_path.clone().into_os_string();
        name.push(format!("{}{random:016x}", sys::UNFINISHED));
        let new = PathBuf::from(name);
        let file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(&new).map_err(io)?;
        let made = file
            .set_permissions(PermissionsExt::from_mode(0o666))
            .map_err(io)
            .and_then(|()| {
                let ports = PortsFile::new(file);
                ports.resize().map_err(io)?;
                self.relabel(&ports)
            })
            .and_then(|_| match sys::rename_new(&new, &self.ports_path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(io(error)),
                other => Ok(other.is_ok()),
            });
        if !matches!(made, Ok(true)) {
            // Somebody else was first, or it failed for good.
            let _ = rustix::fs::unlink(&new);
        }
        made?;
        ports_file::open(&self.ports_path).map_err(io)
    }
}
