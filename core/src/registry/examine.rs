//! What `doctor` asks of a registry. Knows nothing of what the answers mean.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::{Registry, directory, ports_file};
use crate::error::{Error, Result};
use crate::sys::{self, Entry};

/// The directory that would be opened as the registry, whether that works or not.
pub(crate) fn chosen_root(named: Option<&Path>) -> Result<PathBuf> {
    directory::root(named)
}

impl Registry {
    /// The registry's own directory.
    pub(crate) fn root_entry(&self) -> Result<Entry> {
        let failed = |error| Error::registry(format!("cannot check {}", self.root.display()), error);
        sys::entry(&self.root).map_err(failed)?.ok_or_else(Error::registry_gone)
    }

    /// An open file description of the `ports` file, to try locks that stand for no port.
    pub(crate) fn description(&self) -> io::Result<File> {
        ports_file::open_at(&self.ports_path)
    }

    /// Creates a file of `bytes` beside the `ports` file, and removes it. If this process is killed meanwhile, the file
    /// looks like a `ports` file that was never finished.
    pub(crate) fn try_a_file(&self, bytes: &[u8]) -> io::Result<()> {
        let directory = self.directory.open();
        let name = format!("ports{}{:016x}", sys::UNFINISHED, sys::random_number()?);
        let name = OsStr::new(&name);
        let file = directory.create(name)?;
        let written = sys::write_all_at(&file, bytes, 0);
        let removed = directory.remove(name);
        written.and(removed)
    }
}
