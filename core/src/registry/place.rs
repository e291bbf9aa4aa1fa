//! Checks whether the open files are still those at the registry's path, and repairs truncated ones.

use super::directory;
use super::ports_file::{self, FILE_SIZE, Identity};
use super::{Registry, TRIES};
use crate::error::{Error, Result};
use crate::sys;

impl Registry {
    /// Checks that the calling thread is in the network namespace whose ports these are.
    pub(crate) fn check_netns(&self) -> Result<()> {
        if self.namespace.is_current(None) { Ok(()) } else { Err(Error::netns_changed()) }
    }

    /// Checks that the open descriptors are still the registry's, and its paths.
    pub(super) fn check(&self) -> Result<()> {
        if !self.is_ours() {
            return Err(self.gone("is open no more"));
        }
        self.check_paths()
    }

    /// Checks that the paths still lead to the opened files, and that the `ports` file has its full size.
    pub(super) fn check_paths(&self) -> Result<()> {
        let entry = match sys::entry(&self.ports_path) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Err(self.gone("is gone")),
            Err(error) => return Err(Error::registry(format!("cannot check {}", self.ports_path.display()), error)),
        };
        if Identity::of(&entry) != self.identity || !self.records.is_in_place() {
            return Err(self.gone("or its records directory is not the one that was opened"));
        }
        if let Some(why) = ports_file::distrust(&entry) {
            return Err(self.not_a_ports_file(why));
        }
        if entry.length != FILE_SIZE {
            self.restore()?;
        }
        Ok(())
    }

    /// Checks, after a request that could not be met, that this is still the right registry: a setup may change the
    /// place of the default registry, and holds all locks of the old one meanwhile.
    pub(crate) fn check_place(&self) -> Result<()> {
        if self.named.is_none() && directory::root(None)? != self.root {
            return Err(self.gone("is no longer the registry of this machine"));
        }
        self.check()
    }

    /// Restores a file that was truncated or extended: the header, the labels of kept environments, and then the size,
    /// so that a process that finds the right size finds everything.
    fn restore(&self) -> Result<()> {
        let failed = |error| Error::registry(format!("cannot restore {}", self.ports_path.display()), error);
        let file = ports_file::open(self.directory.open()).map_err(failed)?;
        let ports = self.described(file, self.identity).map_err(failed)?;
        if !ports.is_linked() {
            return Err(self.gone("is not the one that was opened"));
        }
        for _ in 0..TRIES {
            ports.write_header(&self.header).map_err(failed)?;
            self.relabel(&ports)?;
            ports.resize().map_err(failed)?;
            // Otherwise the file was truncated again, and the right size would hide that.
            if ports.header().map_err(failed)? == Some(self.header.encode()) {
                break;
            }
        }
        Ok(())
    }
}
