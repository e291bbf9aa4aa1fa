//! Files: only the project file is read, which needs no registry.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Marked, refused};
use crate::sys::entry::Entry;

pub(crate) const KEEP: &str = ".keep";
pub(crate) const UNFINISHED: &str = ".new-";
pub(crate) const SET_UP: &str = "";
pub(crate) const PLAIN: &str = "";
pub(crate) const AT_BOOT: &str = "";

stubs! {
    { refused() } {
        fn entry(path: &Path) -> io::Result<Option<Entry>>;
        fn entry_of(file: &File) -> io::Result<Entry>;
        fn open_to_change(path: &Path) -> io::Result<File>;
        fn open_without_following(path: &Path) -> io::Result<File>;
        fn create_new(path: &Path) -> io::Result<File>;
        fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()>;
        fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()>;
        fn try_lock_file(file: &File) -> io::Result<bool>;
        fn create_private_directory(path: &Path) -> io::Result<()>;
        fn remove_file(path: &Path) -> io::Result<()>;
        fn remove_all(path: &Path) -> io::Result<()>;
        fn rename_new(from: &Path, to: &Path) -> io::Result<()>;
        fn exchange(one: &Path, other: &Path) -> io::Result<()>;
        fn make_at_boot(namespace: u64) -> io::Result<()>;
        fn forget_at_boot() -> io::Result<()>;
    }
    { false } {
        fn leads_in_a_circle(error: &io::Error) -> bool;
        fn mark(path: &Path, value: &[u8]) -> bool;
        fn is_roots_shared_directory(path: &Path) -> bool;
    }
    { None } {
        fn marked(path: &Path) -> Option<Vec<u8>>;
    }
}

pub(crate) fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

pub(crate) fn plain_temp_directory() -> PathBuf {
    std::env::temp_dir()
}

pub(crate) fn write_to_standard_error(text: &[u8]) {
    let _ = io::stderr().write_all(text);
}

pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
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
    stubs! {
        { refused() } {
            fn open(path: &Path) -> io::Result<Self>;
            fn place(path: &Path) -> io::Result<Self>;
            fn lock(path: &Path, shared: bool) -> io::Result<Option<Self>>;
            fn opened_up(inside: Option<&Self>, name: &Path) -> io::Result<Self>;
        }
    }

    pub(crate) fn kept(self) -> io::Result<Marked<Self>> {
        match self.0 {}
    }
}

never! { Directory
    fn directory(name: &OsStr) -> io::Result<Self>;
    fn entry() -> io::Result<Entry>;
    fn entry_in(name: &OsStr) -> io::Result<Entry>;
    fn is_at(path: &Path) -> bool;
    fn contains(name: &OsStr) -> io::Result<bool>;
    fn names() -> io::Result<Vec<OsString>>;
    fn each_name(see: impl FnMut(&OsStr)) -> io::Result<()>;
    fn create_shared_directory(name: &OsStr) -> io::Result<()>;
    fn create_shared(name: &OsStr) -> io::Result<File>;
    fn create(name: &OsStr) -> io::Result<File>;
    fn read(name: &OsStr) -> io::Result<File>;
    fn write(name: &OsStr) -> io::Result<File>;
    fn replace(from: &OsStr, to: &OsStr) -> io::Result<()>;
    fn rename_new(from: &OsStr, to: &OsStr) -> io::Result<()>;
    fn remove(name: &OsStr) -> io::Result<()>;
    fn remove_directory(name: &OsStr) -> io::Result<()>;
}
