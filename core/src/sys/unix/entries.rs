//! What stands at a path, and what is told of it.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::sys::entry::{Entry, EntryKind, FileId};

/// What stands at `path`; `None` if nothing does.
pub(crate) fn entry(path: &Path) -> io::Result<Option<Entry>> {
    match rustix::fs::lstat(path).map_err(io::Error::from) {
        Ok(stat) => Ok(Some(describe(&stat))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is told of an open file. The cheapest of the kernel's calls, because every lease asks.
pub(crate) fn entry_of(file: &impl AsFd) -> io::Result<Entry> {
    Ok(describe(&rustix::fs::fstat(file)?))
}

#[expect(clippy::useless_conversion, reason = "types differ by platform")]
pub(super) fn describe(stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => EntryKind::Folder,
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

/// Whether an error about a path says that there is nothing at it: also where a folder on the way is something else by now,
/// a link leads in circles, or no file can have so long a name.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    [Errno::NOENT, Errno::NOTDIR, Errno::NAMETOOLONG, Errno::LOOP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
