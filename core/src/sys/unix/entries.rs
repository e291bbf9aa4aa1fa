//! The metadata of files.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::sys::entry::{Entry, EntryKind, FileId};

/// The metadata of `path`; `None` if it does not exist.
pub(crate) fn entry(path: &Path) -> io::Result<Option<Entry>> {
    match rustix::fs::lstat(path).map_err(io::Error::from) {
        Ok(stat) => Ok(Some(describe(&stat))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The metadata of an open file. Uses the cheapest system call for it, because every lease makes it.
pub(crate) fn entry_of(file: &impl AsFd) -> io::Result<Entry> {
    Ok(describe(&rustix::fs::fstat(file)?))
}

#[expect(clippy::useless_conversion, reason = "types differ by platform")]
pub(super) fn describe(stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => EntryKind::Directory,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Other,
    };
    let whole = |number: i128| u64::try_from(number).unwrap_or_default();
    Entry {
        kind,
        id: FileId { device: whole(stat.st_dev.into()), inode: stat.st_ino },
        user: stat.st_uid,
        mode: u32::from(stat.st_mode) & 0o7777,
        names: stat.st_nlink.into(),
        length: whole(stat.st_size.into()),
        written_us: whole(stat.st_mtime.into())
            .saturating_mul(1_000_000)
            .saturating_add(whole(stat.st_mtime_nsec.into()) / 1000),
    }
}

/// Whether an error about a path means that it does not exist. That includes a component that is not a directory, a
/// loop of links, and a name that is too long.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    [Errno::NOENT, Errno::NOTDIR, Errno::NAMETOOLONG, Errno::LOOP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
