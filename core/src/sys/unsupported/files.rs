//! Files: only the project file is read, which needs no registry.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Marked, refused};
use crate::sys::entry::Entry;

pub(crate) const KEEP: &str = ".keep";
pub(crate) const UNFINISHED: &str = ".new-";
pub(crate) const SET_UP: &str = "";
pub(crate) const PLAIN: &str = "";
pub(crate) const AT_BOOT: &str = "";

pub(crate) fn entry(_path: &Path) -> io::Result<Option<Entry>> {
    refused()
}

pub(crate) fn entry_of(_file: &File) -> io::Result<Entry> {
    refused()
}

pub(crate) fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

pub(crate) fn leads_in_a_circle(_error: &io::Error) -> bool {
    false
}

pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(crate) fn open_to_change(_path: &Path) -> io::Result<File> {
    refused()
}

pub(crate) fn open_without_following(_path: &Path) -> io::Result<File> {
    refused()
}

pub(crate) fn create_new(_path: &Path) -> io::Result<File> {
    refused()
}

pub(crate) fn read_exact_at(_file: &File, _bytes: &mut [u8], _at: u64) -> io::Result<()> {
    refused()
}

pub(crate) fn write_all_at(_file: &File, _bytes: &[u8], _at: u64) -> io::Result<()> {
    refused()
}

pub(crate) fn try_lock_file(_file: &File) -> io::Result<bool> {
    refused()
}

pub(crate) fn create_private_directory(_path: &Path) -> io::Result<()> {
    refused()
}

pub(crate) fn remove_file(_path: &Path) -> io::Result<()> {
    refused()
}

pub(crate) fn remove_all(_path: &Path) -> io::Result<()> {
    refused()
}

pub(crate) fn rename_new(_from: &Path, _to: &Path) -> io::Result<()> {
    refused()
}

pub(crate) fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    refused()
}

pub(crate) fn mark(_path: &Path, _value: &[u8]) -> bool {
    false
}

pub(crate) fn marked(_path: &Path) -> Option<Vec<u8>> {
    None
}

pub(crate) fn is_roots_shared_directory(_path: &Path) -> bool {
    false
}

pub(crate) fn make_at_boot(_namespace: u64) -> io::Result<()> {
    refused()
}

pub(crate) fn forget_at_boot() -> io::Result<()> {
    refused()
}

pub(crate) fn file_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Entry {
    pub(crate) fn is_writable_for_all(self) -> bool {
        false
    }

    pub(crate) fn distrust_as_directory(self) -> Option<String> {
        None
    }
}

#[derive(Debug)]
pub(crate) struct Directory(Infallible);

impl Directory {
    pub(crate) fn open(_path: &Path) -> io::Result<Self> {
        refused()
    }

    pub(crate) fn place(_path: &Path) -> io::Result<Self> {
        refused()
    }

    pub(crate) fn lock(_path: &Path, _shared: bool) -> io::Result<Option<Self>> {
        refused()
    }

    pub(crate) fn opened_up(_inside: Option<&Self>, _name: &Path) -> io::Result<Self> {
        refused()
    }

    pub(crate) fn directory(&self, _name: &OsStr) -> io::Result<Self> {
        match self.0 {}
    }

    pub(crate) fn kept(self) -> io::Result<Marked<Self>> {
        match self.0 {}
    }

    pub(crate) fn entry(&self) -> io::Result<Entry> {
        match self.0 {}
    }

    pub(crate) fn entry_in(&self, _name: &OsStr) -> io::Result<Entry> {
        match self.0 {}
    }

    pub(crate) fn is_at(&self, _path: &Path) -> bool {
        match self.0 {}
    }

    pub(crate) fn contains(&self, _name: &OsStr) -> io::Result<bool> {
        match self.0 {}
    }

    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        match self.0 {}
    }

    pub(crate) fn create_shared_directory(&self, _name: &OsStr) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn create_shared(&self, _name: &OsStr) -> io::Result<File> {
        match self.0 {}
    }

    pub(crate) fn create(&self, _name: &OsStr) -> io::Result<File> {
        match self.0 {}
    }

    pub(crate) fn read(&self, _name: &OsStr) -> io::Result<File> {
        match self.0 {}
    }

    pub(crate) fn write(&self, _name: &OsStr) -> io::Result<File> {
        match self.0 {}
    }

    pub(crate) fn replace(&self, _from: &OsStr, _to: &OsStr) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn rename_new(&self, _from: &OsStr, _to: &OsStr) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn remove(&self, _name: &OsStr) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn remove_directory(&self, _name: &OsStr) -> io::Result<()> {
        match self.0 {}
    }
}
