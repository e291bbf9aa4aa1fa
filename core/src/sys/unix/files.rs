//! Files by path: changes them such that no process sees a half-made file or loses a file of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{CWD, FlockOperation, OFlags, RenameFlags, XattrFlags};
use rustix::io::Errno;

use super::descriptor::above_standard;

/// A file in every directory of the registry. It has the sticky bit, so tools that remove old files, such as
/// systemd-tmpfiles, keep the directory.
pub(crate) const KEEP: &str = ".keep";

/// Separates a name from a random number: marks a file that is not finished yet.
pub(crate) const UNFINISHED: &str = ".new-";

/// Whether an error about a path means that its links form a loop.
pub(crate) fn leads_in_a_circle(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Creates a file that must not exist yet.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    Ok(above_standard(file.into())?.into())
}

/// Opens a file for reading, without waiting for the writer of a pipe.
pub(crate) fn open_without_waiting(path: &Path) -> io::Result<File> {
    open(path, OFlags::NONBLOCK)
}

/// As [`open_without_waiting`], without following a link in the last component of the path.
pub(crate) fn open_without_following(path: &Path) -> io::Result<File> {
    open(path, OFlags::NONBLOCK | OFlags::NOFOLLOW)
}

/// Opens a file for reading and writing, in the same way.
pub(crate) fn open_to_change(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    Ok(above_standard(file.into())?.into())
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Creates a directory that only its owner may access.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

/// Locks a file until it is closed. `false` if another process has locked it.
pub(crate) fn try_lock_file(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Reads at an offset, without moving the file position.
pub(crate) fn read_exact_at(file: &File, bytes: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(bytes, at)
}

/// Writes at an offset, without moving the file position.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    file.write_all_at(bytes, at)
}

/// Removes a file or a link.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::unlink(path)?)
}

/// Removes a directory and its contents.
#[expect(clippy::disallowed_methods, reason = "the one place; it follows no link, neither at the top nor below")]
pub(crate) fn remove_all(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// Renames without ever replacing a file: `AlreadyExists` if the target exists.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => rename_new_by_hand(from, to),
        other => Ok(other?),
    }
}

/// Swaps the names of two files. `NotFound` if one of them does not exist, `InvalidInput` if the file system cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// For file systems without RENAME_NOREPLACE.
fn rename_new_by_hand(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        create_private_directory(to)?;
        return std::fs::rename(from, to);
    }
    std::fs::hard_link(from, to)?;
    remove_file(from)
}

/// The extended attribute that stores which registry a temp directory belongs to. It is not a file in the directory,
/// because programs such as initdb require an empty one.
const MARK: &str = "user.portalloc.registry";

/// Writes the mark. `false` on a file system without extended attributes: then temp directories of a lost registry are
/// not swept.
pub(crate) fn mark(path: &Path, value: &[u8]) -> bool {
    rustix::fs::lsetxattr(path, MARK, value, XattrFlags::CREATE).is_ok()
}

/// Reads the mark.
pub(crate) fn marked(path: &Path) -> Option<Vec<u8>> {
    let mut buffer = vec![0; 4096];
    let length = rustix::fs::lgetxattr(path, MARK, &mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}

#[cfg(test)]
pub(crate) fn make_link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap();
}
