//! An open directory, in which several processes create and remove files at once, and which no other user can swap
//! unnoticed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::descriptor::{Marked, above_standard, out_of_the_way};
use super::entries::{describe, entry, entry_of};
use super::files::{KEEP, UNFINISHED};
use crate::sys::entry::Entry;
use crate::sys::platform;
use crate::sys::random::random_number;

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl IntoRawFd for Directory {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_raw_fd()
    }
}

/// An open directory: names are looked up in this directory, wherever its path leads by now.
pub(crate) struct Directory(OwnedFd);

impl Directory {
    /// Opens a directory. A symbolic link as the last component is an error.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a directory for lookups, which this user may not be allowed to list. A symbolic link is an error.
    pub(crate) fn place(path: &Path) -> io::Result<Self> {
        Ok(Self(platform::open_place(CWD, path)?))
    }

    /// Opens a directory in this one. A symbolic link is an error.
    pub(crate) fn directory(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Keeps it open for a long time, under a descriptor that is checked before each use.
    pub(crate) fn kept(self) -> io::Result<Marked<Self>> {
        Marked::by_inode(Self(out_of_the_way(self.0)?))
    }

    /// The metadata of the opened directory, wherever its path leads by now.
    pub(crate) fn entry(&self) -> io::Result<Entry> {
        entry_of(&self.0)
    }

    /// Creates a directory in this one in which every user may create files, and no user may remove another's. It
    /// appears with that mode, whatever the umask, and contains a file that protects it from age-based cleaning, so no
    /// process sees it half made. An existing one is left as it is.
    pub(crate) fn create_shared_directory(&self, name: &OsStr) -> io::Result<()> {
        let mut new = name.to_owned();
        new.push(format!("{UNFINISHED}{:016x}", random_number()?));
        rustix::fs::mkdirat(&self.0, &new, Mode::RWXU)?;
        // Adds the permissions that the umask removed.
        let made = Self::opened_up(Some(self), Path::new(&new))
            .and_then(|directory| {
                directory.create_with(OsStr::new(KEEP), Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH)?;
                Ok(rustix::fs::fchmod(&directory.0, Mode::RWXU | Mode::RWXG | Mode::RWXO | Mode::SVTX)?)
            })
            .and_then(|()| match rustix::fs::renameat_with(&self.0, &new, &self.0, name, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS) => {
                    rustix::fs::mkdirat(&self.0, name, Mode::RWXU)?;
                    self.replace(&new, name)
                }
                other => Ok(other?),
            });
        if made.is_err() {
            // Another process was first, or the rename failed: this directory is empty and not needed.
            let _ = self.remove_directory(&new);
        }
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Locks the directory while the result lives; with `shared`, other processes may lock it shared, too. `None` if
    /// another process has a conflicting lock.
    pub(crate) fn lock(path: &Path, shared: bool) -> io::Result<Option<Self>> {
        let directory = Self::open(path)?;
        let wanted =
            if shared { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
        match rustix::fs::flock(&directory.0, wanted) {
            Ok(()) => Ok(Some(directory)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a file that must not exist yet, readable and writable by every user, whatever the umask.
    pub(crate) fn create_shared(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = above_standard(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR | Mode::SVTX)?)?;
        let everybody = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        // Some file systems allow the sticky bit only for root.
        rustix::fs::fchmod(&file, everybody | Mode::SVTX).or_else(|_| rustix::fs::fchmod(&file, everybody))?;
        Ok(file.into())
    }

    /// Gives the owner of a directory all permissions on it, and opens it. `NotADirectory` if it is not a directory, or
    /// a symbolic link.
    pub(crate) fn opened_up(inside: Option<&Self>, name: &Path) -> io::Result<Self> {
        Ok(Self(platform::open_up(inside.map_or(CWD, |directory| directory.0.as_fd()), name)?))
    }

    /// The metadata of a name; symbolic links are not followed.
    pub(crate) fn entry_in(&self, name: &OsStr) -> io::Result<Entry> {
        Ok(describe(&rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Removes a directory that is empty, or contains only the file that protects it from age-based cleaning.
    pub(crate) fn remove_directory(&self, name: &OsStr) -> io::Result<()> {
        if let Ok(inside) = self.directory(name) {
            let others = inside.names()?.iter().any(|name| name != KEEP);
            if !others {
                let _ = inside.remove(OsStr::new(KEEP));
            }
        }
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Whether `path` leads to this directory.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let Ok(here) = self.entry() else { return false };
        matches!(entry(path), Ok(Some(there)) if there.id == here.id)
    }

    /// Opens an existing file for reading. Never blocks on a pipe, and never follows a link.
    pub(crate) fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Opens an existing file for reading and writing. Never follows a link.
    pub(crate) fn write(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(above_standard(rustix::fs::openat(&self.0, name, flags, Mode::empty())?)?.into())
    }

    /// Creates a file that must not exist yet, readable by its owner only.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        self.create_with(name, Mode::RUSR | Mode::WUSR)
    }

    /// Creates it with this mode, whatever the umask, and with the sticky bit, which protects a file from age-based
    /// cleaning and has no other effect.
    fn create_with(&self, name: &OsStr, mode: Mode) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.0, name, flags, mode | Mode::SVTX) {
            Err(Errno::PERM | Errno::INVAL) => rustix::fs::openat(&self.0, name, flags, mode),
            other => other,
        };
        let file = above_standard(file?)?;
        let got = Mode::from_raw_mode(rustix::fs::fstat(&file)?.st_mode);
        if !got.contains(mode) {
            rustix::fs::fchmod(&file, got | mode)?;
        }
        Ok(file.into())
    }

    /// Renames within the directory, and replaces an existing file.
    pub(crate) fn replace(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Renames within the directory; `AlreadyExists` if the target exists.
    pub(crate) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match rustix::fs::renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) => {
                rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
                self.remove(from)
            }
            other => Ok(other?),
        }
    }

    /// Removes a file.
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Whether the name exists.
    pub(crate) fn contains(&self, name: &OsStr) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in the directory.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        self.each_name(|name| names.push(name.to_owned()))?;
        Ok(names)
    }

    /// Shows each name in the directory: there may be thousands.
    pub(crate) fn each_name(&self, mut see: impl FnMut(&OsStr)) -> io::Result<()> {
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                see(OsStr::from_bytes(name));
            }
        }
        Ok(())
    }
}
