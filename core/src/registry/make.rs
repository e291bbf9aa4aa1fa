//! Creates the `ports` file, which appears complete or not at all, and reads the header of an existing one.

use std::ffi::OsStr;
use std::io;
use std::time::Duration;

use super::Registry;
use super::directory;
use super::header::{Header, Unusable};
use super::ports_file::{self, Identity};
use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::sys::{self, Directory};

/// How long the creation of a `ports` file waits for a setup, which takes milliseconds.
const SETUP_PATIENCE: Duration = Duration::from_secs(5);

impl Registry {
    /// Creates the `ports` file if it is missing, and returns its identity and header.
    pub(super) fn make_ports_file(&self) -> Result<(Identity, Header)> {
        let failed = |error| Error::registry(format!("cannot open {}", self.ports_path.display()), error);
        // step: FindFile
        match sys::entry(&self.ports_path).map_err(failed)? {
            Some(entry) if !entry.is_file() => {
                return Err(self.not_a_ports_file(&format!("{} and not a plain file", entry.describe())));
            }
            Some(_) => {}
            None => self.publish_ports_file()?,
        }
        let file = ports_file::open(self.directory.open()).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::registry_gone(),
            _ => failed(error),
        })?;
        let entry = sys::entry_of(&file).map_err(failed)?;
        if let Some(why) = ports_file::distrust(&entry) {
            return Err(self.not_a_ports_file(why));
        }
        let bytes = ports_file::header(&file).map_err(failed)?;
        let header = match bytes.map(|bytes| Header::decode(&bytes)) {
            Some(Ok(header)) => header,
            // The header was cut off; it is written again when the rest is restored.
            None => self.header.clone(),
            Some(Err(Unusable::NoHeader)) if bytes == Some([0; _]) && entry.length != ports_file::FILE_SIZE => {
                self.header.clone()
            }
            Some(Err(unusable)) => return Err(self.unusable(&unusable)),
        };
        // step: OpenRegistry
        Ok((Identity::of(&entry), header))
    }

    fn unusable(&self, unusable: &Unusable) -> Error {
        let (path, this) = (self.ports_path.display(), env!("CARGO_PKG_VERSION"));
        let (what, remedy) = match unusable {
            Unusable::NoHeader => (
                format!(
                    "{path} has no header that portalloc {this} knows: an older version made it, or something overwrote it"
                ),
                format!(
                    "install portalloc {this} or newer in every project, stop what uses the old one, and remove the file; or \
                     set PORTALLOC_DIR to another directory"
                ),
            ),
            Unusable::Newer(version) => (
                format!("{path} was made by a newer portalloc, and {this} cannot use it"),
                format!("install portalloc {version} or newer, or set PORTALLOC_DIR to another directory"),
            ),
        };
        Error::new(ErrorCode::RegistryUnusable, what, remedy)
    }

    pub(super) fn not_a_ports_file(&self, what: &str) -> Error {
        Error::new(
            ErrorCode::RegistryUnusable,
            format!("{} is {what}", self.ports_path.display()),
            "remove it if it is yours, or set PORTALLOC_DIR to another directory",
        )
    }

    /// Prevents a setup from changing the registry's place while a `ports` file is created in it. `None` if the place
    /// was named by the caller, since such a place does not change.
    fn keep_place(&self) -> Result<Option<Directory>> {
        if self.named.is_some() {
            return Ok(None);
        }
        let failed =
            |error| Error::registry(format!("cannot lock the registry directory {}", self.root.display()), error);
        let mut backoff = Backoff::steady(SETUP_PATIENCE);
        let lock = loop {
            // step: KeepPlace
            match Directory::lock(&self.root, true) {
                Ok(Some(lock)) => break lock,
                Ok(None) if backoff.wait().map_err(failed)? => {}
                Ok(None) => return Err(failed(io::ErrorKind::WouldBlock.into())),
                Err(error) if sys::is_absent(&error) => return Err(Error::registry_gone()),
                Err(error) => return Err(failed(error)),
            }
        };
        // A setup that finished before has left a directory that no process opens any more.
        // step: LookAtPlace
        if directory::root(None)? != self.root || !lock.is_at(&self.root) {
            return Err(Error::registry_gone());
        }
        Ok(Some(lock))
    }

    /// The file is complete before it appears: with its size, its mode, its header, and the labels of the environments
    /// that have records.
    fn publish_ports_file(&self) -> Result<()> {
        let failed = |error| Error::registry(format!("cannot make {}", self.ports_path.display()), error);
        // step: HoldPlace
        let _place = self.keep_place()?;
        let directory = self.directory.open();
        // The directory may have been moved away before its place was locked.
        // step: LookAtDirectory
        if !directory.is_at(&self.path) {
            return Err(Error::registry_gone());
        }
        let name = format!("ports{}{:016x}", sys::UNFINISHED, sys::random_number().map_err(failed)?);
        let new = OsStr::new(&name);
        let filled = directory.create_shared(new).map_err(failed).and_then(|file| {
            let identity = Identity::of(&sys::entry_of(&file).map_err(failed)?);
            let ports = self.described(file, identity).map_err(failed)?;
            ports.resize().map_err(failed)?;
            ports.write_header(&self.header).map_err(failed)?;
            // step: LabelNewFile
            self.relabel(&ports)
        });
        // step: PublishFile
        let made = filled.and_then(|_| match directory.rename_new(new, OsStr::new("ports")) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|()| true).map_err(failed),
        });
        if !matches!(made, Ok(true)) {
            // Another process was first, or the rename failed.
            let _ = directory.remove(new);
        }
        made.map(|_| ())
    }
}
