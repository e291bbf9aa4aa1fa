//! Files and folders that several processes make at once and that nobody may swap under us.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags, XattrFlags};
use rustix::io::Errno;

use super::descriptor::{Marked, above_standard, out_of_the_way};

/// What stands at a path, symbolic links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    pub(crate) user: u32,
    /// Permission bits, with the sticky bit.
    pub(crate) mode: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Folder,
    File,
    Link,
    Other,
}

impl Entry {
    pub(crate) fn is_folder(self) -> bool {
        self.kind == EntryKind::Folder
    }

    pub(crate) fn is_file(self) -> bool {
        self.kind == EntryKind::File
    }

    /// As in "... is a symbolic link".
    pub(crate) fn describe(self) -> &'static str {
        match self.kind {
            EntryKind::Folder => "a folder",
            EntryKind::File => "a file",
            EntryKind::Link => "a symbolic link",
            EntryKind::Other => "neither a file nor a folder",
        }
    }

    /// Anyone may make files there, and only their owners (and the folder's) may remove them.
    pub(crate) fn is_sticky_for_all(self) -> bool {
        self.is_folder() && self.mode & 0o1002 == 0o1002
    }
}

/// Lets programs that are started from here on inherit a descriptor.
pub(crate) fn keep_on_exec(fd: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?)
}

/// What stands at `path`; `None` if nothing does.
pub(crate) fn entry(path: &Path) -> io::Result<Option<Entry>> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(describe(&metadata))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error about a path says that there is nothing at it: also where a folder on the way is something else by now,
/// a link leads in circles, or no file can have so long a name.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    [Errno::NOENT, Errno::NOTDIR, Errno::NAMETOOLONG, Errno::LOOP]
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn describe(metadata: &std::fs::Metadata) -> Entry {
    let kind = metadata.file_type();
    let kind = if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_dir() {
        EntryKind::Folder
    } else if kind.is_file() {
        EntryKind::File
    } else {
        EntryKind::Other
    };
    Entry { kind, user: metadata.uid(), mode: metadata.mode() & 0o7777 }
}

/// The effective user of this process.
pub(crate) fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether `path` is a folder in which every user may make files and none may remove another's, of root or of an owner
/// whom this user namespace does not know: root outside of a container, seen from inside.
pub(crate) fn is_roots_shared_folder(path: &Path) -> bool {
    matches!(entry(path), Ok(Some(entry)) if entry.is_sticky_for_all() && (entry.user == 0 || is_unmapped(entry.user)))
}

/// Whether `user` is the number that stands for all owners whom this user namespace does not know, and for nobody in it.
fn is_unmapped(user: u32) -> bool {
    let overflow = std::fs::read_to_string("/proc/sys/kernel/overflowuid");
    let overflow = overflow.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(65534);
    user == overflow
        && std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| {
            map.lines().all(|line| {
                let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().unwrap_or(0));
                let (first, count) = (numbers.next().unwrap_or(0), numbers.nth(1).unwrap_or(u64::MAX));
                !(first..first.saturating_add(count)).contains(&u64::from(user))
            })
        })
}

/// A file in every folder of the registry, which bears the sticky bit and so keeps what cleans old files away, such as
/// systemd-tmpfiles, from removing the folder.
pub(crate) const KEEP: &str = ".keep";

/// Between a name and a random number: something that its maker has not finished yet.
pub(crate) const UNFINISHED: &str = ".new-";

/// Removes a folder with all that is in it.
#[expect(clippy::disallowed_methods, reason = "the one place; it follows no link, neither at the top nor below")]
pub(crate) fn remove_all(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// Renames without ever replacing anything: `AlreadyExists` if something is there.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => rename_new_by_hand(from, to),
        other => Ok(other?),
    }
}

/// Lets two files change their names. `NotFound` if there is nothing under one of them, `InvalidInput` where the file
/// system cannot.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Ok(rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

/// For file systems without RENAME_NOREPLACE.
fn rename_new_by_hand(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        std::fs::DirBuilder::new().mode(0o700).create(to)?;
        return std::fs::rename(from, to);
    }
    std::fs::hard_link(from, to)?;
    rustix::fs::unlink(from)?;
    Ok(())
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl IntoRawFd for Folder {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_raw_fd()
    }
}

/// An open folder: what is named below it is looked up in this very folder, wherever its path leads by now.
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// Opens a folder; a symbolic link as its last part is refused.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a folder to look things up in it, which it may not allow to be listed; a symbolic link is refused.
    pub(crate) fn place(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Opens a folder in this one; a symbolic link is refused.
    pub(crate) fn folder(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// The same, to be kept open for long: by its own descriptor, which is looked at before it is used.
    pub(crate) fn kept(self) -> io::Result<Marked<Self>> {
        Marked::by_inode(Self(out_of_the_way(self.0)?))
    }

    /// What it is: its own, wherever its path leads by now.
    pub(crate) fn entry(&self) -> io::Result<Entry> {
        let stat = rustix::fs::fstat(&self.0)?;
        Ok(Entry { kind: EntryKind::Folder, user: stat.st_uid, mode: stat.st_mode & 0o7777 })
    }

    /// Makes a folder in this one that appears with its mode, whatever the umask, and with a file in it that keeps it from
    /// ageing, so that nobody meets it half made. An existing one is left as it is.
    pub(crate) fn create_folder(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        let mut new = name.to_owned();
        new.push(format!("{UNFINISHED}{:016x}", crate::random::number()?));
        rustix::fs::mkdirat(&self.0, &new, Mode::RWXU)?;
        // Whatever the umask has left of its mode.
        let made = Self::opened_up(Some(self), Path::new(&new))
            .and_then(|folder| {
                folder.create_with(OsStr::new(KEEP), Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH)?;
                Ok(rustix::fs::fchmod(&folder.0, Mode::from_raw_mode(mode))?)
            })
            .and_then(|()| match rustix::fs::renameat_with(&self.0, &new, &self.0, name, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS) => {
                    rustix::fs::mkdirat(&self.0, name, Mode::RWXU)?;
                    self.replace(&new, name)
                }
                other => Ok(other?),
            });
        if made.is_err() {
            // Somebody else was first, or it failed for good: ours is empty and of no use.
            let _ = self.remove_folder(&new);
        }
        match made {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    /// Lets nobody else have this lock of the folder while the result lives: `shared` with others who ask for it shared.
    /// `None`: somebody has it.
    pub(crate) fn lock(path: &Path, shared: bool) -> io::Result<Option<Self>> {
        let folder = Self::open(path)?;
        let wanted =
            if shared { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
        match rustix::fs::flock(&folder.0, wanted) {
            Ok(()) => Ok(Some(folder)),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a file that must not exist yet, for everybody to read and write whatever the umask.
    pub(crate) fn create_shared(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = above_standard(rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR | Mode::SVTX)?)?;
        let everybody = Mode::from_raw_mode(0o666);
        // Some file systems allow the sticky bit to nobody but root.
        rustix::fs::fchmod(&file, everybody | Mode::SVTX).or_else(|_| rustix::fs::fchmod(&file, everybody))?;
        Ok(file.into())
    }

    /// Gives the owner of a folder every right to it, and opens it. `NotADirectory` if it is none, or a symbolic link.
    pub(crate) fn opened_up(inside: Option<&Self>, name: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inside = inside.map_or(CWD, |folder| folder.0.as_fd());
        let found = rustix::fs::openat(inside, name, flags, Mode::empty())?;
        // One that may not be read can only be opened as a place, and a place has no mode to set but by this name.
        let this_very_one = format!("/proc/self/fd/{}", found.as_raw_fd());
        std::fs::set_permissions(this_very_one, PermissionsExt::from_mode(0o700))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::openat(&found, ".", flags, Mode::empty())?))
    }

    /// What is said of a name, symbolic links not followed.
    pub(crate) fn metadata(&self, name: &OsStr) -> io::Result<rustix::fs::Stat> {
        Ok(rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Removes a folder in which there is nothing, or nothing but the file that keeps it from ageing.
    pub(crate) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        if let Ok(inside) = self.folder(name) {
            let others = inside.names()?.iter().any(|name| name != KEEP);
            if !others {
                let _ = inside.remove(OsStr::new(KEEP));
            }
        }
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Whether `path` leads to this very folder.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        let Ok(here) = rustix::fs::fstat(&self.0) else { return false };
        std::fs::symlink_metadata(path).is_ok_and(|there| (here.st_dev, here.st_ino) == (there.dev(), there.ino()))
    }

    /// Opens an existing file for reading; never blocks on a pipe, never follows a link.
    pub(crate) fn read(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Opens an existing file for reading and writing; never follows a link.
    pub(crate) fn write(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(above_standard(rustix::fs::openat(&self.0, name, flags, Mode::empty())?)?.into())
    }

    /// Makes a file that must not exist yet, readable by its owner only.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        self.create_with(name, Mode::RUSR | Mode::WUSR)
    }

    /// With the sticky bit, which keeps a file from ageing and means nothing else.
    fn create_with(&self, name: &OsStr, mode: Mode) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.0, name, flags, mode | Mode::SVTX) {
            Err(Errno::PERM | Errno::INVAL) => rustix::fs::openat(&self.0, name, flags, mode),
            other => other,
        };
        Ok(above_standard(file?)?.into())
    }

    /// Renames within the folder, over whatever is there.
    pub(crate) fn replace(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Renames within the folder; `AlreadyExists` if something is there.
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

    /// Whether something of that name exists.
    pub(crate) fn contains(&self, name: &OsStr) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in it.
    pub(crate) fn names(&self) -> io::Result<Vec<std::ffi::OsString>> {
        use std::os::unix::ffi::OsStrExt;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }
}

/// When a file was written, in microseconds since 1970.
pub(crate) fn written_us(stat: &rustix::fs::Stat) -> u64 {
    // It is signed or not, as the system's library has it.
    let fraction = u64::try_from(i128::from(stat.st_mtime_nsec)).unwrap_or_default() / 1000;
    u64::try_from(stat.st_mtime).unwrap_or_default().saturating_mul(1_000_000).saturating_add(fraction)
}

/// The time by which the kernel dates files, since 1970.
pub(crate) fn file_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    now.try_into().unwrap_or_default()
}

/// The extended attribute that says which registry a temp dir belongs to. Not a file inside, because a program such
/// as initdb insists on an empty folder.
const MARK: &str = "user.portalloc.registry";

/// Writes the mark. File systems without such attributes lose only the sweep of temp dirs whose registry is gone.
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
