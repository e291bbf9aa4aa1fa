//! Files by path: changes them such that no process sees a half-made file or loses a file of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, RenameFlags, XattrFlags};
use rustix::io::{Errno, retry_on_intr};

use super::descriptor::above_standard;
use crate::sys::platform;

/// A file in every directory of the registry. It has the sticky bit, so tools that remove old files, such as
/// systemd-tmpfiles, keep the directory.
pub(crate) const KEEP: &str = ".keep";

/// Separates a name from a random number: marks a file that is not finished yet.
pub(crate) const UNFINISHED: &str = ".new-";

/// Whether an error about a path means that its links form a loop.
pub(crate) fn leads_in_a_circle(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Creates a file that must not exist yet. Its owner can read and write it, whatever the umask; the umask decides
/// whether others can read it, and nobody else can write it.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mode = (Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH).bits();
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let file = above_standard(file.into())?;
    let got = Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
    let own = Mode::RUSR | Mode::WUSR;
    if !got.contains(own) {
        rustix::fs::fchmod(&file, got | own)?;
    }
    Ok(file.into())
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

/// By one system call: musl's `open` makes another one. On a network's file system a signal may interrupt it.
fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | flags;
    Ok(retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?.into())
}

/// Creates a directory that only its owner may access, and its owner may, whatever the umask.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    let wanted = Mode::RWXU;
    std::fs::DirBuilder::new().mode(wanted.bits()).create(path)?;
    let got = Mode::from_raw_mode(rustix::fs::lstat(path)?.st_mode);
    if got.contains(wanted) { Ok(()) } else { platform::open_up(CWD, path).map(drop) }
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

/// Writes to standard error, past the standard library's lock. Nobody learns of a failure, because this is where
/// failures are told.
pub(crate) fn write_to_standard_error(text: &[u8]) {
    let mut left = text;
    while !left.is_empty() {
        match retry_on_intr(|| rustix::io::write(io::stderr().as_fd(), left)) {
            Ok(written) if written > 0 => left = left.get(written..).unwrap_or_default(),
            _ => break,
        }
    }
}

/// The temp directory of a process whose environment names none.
pub(crate) fn plain_temp_directory() -> PathBuf {
    PathBuf::from("/tmp")
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
