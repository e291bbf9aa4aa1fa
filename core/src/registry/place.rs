//! Whether the files that are open are still those that others open, and their repair where they were cut short.

use super::folder;
use super::ports_file::{self, FILE_SIZE, Identity};
use super::{Registry, TRIES};
use crate::error::{Error, Result};
use crate::sys;

impl Registry {
    /// Makes sure that the calling thread is in the network namespace whose ports these are.
    pub(crate) fn check_netns(&self) -> Result<()> {
        if self.namespace.is_current(None) { Ok(()) } else { Err(Error::netns_changed()) }
    }

    /// Makes sure that the path still leads to the file that was opened, and that the file has its size.
    pub(super) fn check(&self) -> Result<()> {
        let entry = match sys::entry(&self.ports_path) {
            Ok(Some(entry)) => entry,
            Ok(None) => return Err(self.gone("is gone")),
            Err(error) => return Err(Error::registry(format!("cannot look at {}", self.ports_path.display()), error)),
        };
        if !self.is_ours() || Identity::of(&entry) != self.identity || !self.records.is_in_place() {
            return Err(self.gone("or its folder of records is not the one that was opened"));
        }
        if let Some(why) = ports_file::distrust(&entry) {
            return Err(self.not_a_ports_file(why));
        }
        if entry.length != FILE_SIZE {
            self.restore()?;
        }
        Ok(())
    }

    /// Makes sure, after a request that could not be met, that it was not for want of looking in the right place: that of a
    /// registry that nobody named may change by a setup, which has all locks of the old one meanwhile.
    pub(crate) fn check_place(&self) -> Result<()> {
        if self.named.is_none() && folder::root(None)? != self.root {
            return Err(self.gone("is no longer the registry of this machine"));
        }
        self.check()
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
}
