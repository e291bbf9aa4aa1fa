//! Files and folders that several processes make at once and that nobody may swap under us.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, XattrFlags};
use rustix::io::Errno;

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
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
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

/// Whether `/dev/shm` is what it is on an ordinary machine.
pub(crate) fn is_shared_memory_folder(path: &Path) -> bool {
    matches!(entry(path), Ok(Some(entry)) if entry.is_sticky_for_all())
}

/// Between a name and a random number: something that its maker has not finished yet.
pub(crate) const UNFINISHED: &str = ".new-";

/// Makes a folder that appears with its mode, whatever the umask, so that nobody meets it half made. An existing one
/// is left as it is.
pub(crate) fn create_folder(path: &Path, mode: u32) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!("{UNFINISHED}{:016x}", crate::random::number()?));
    let new = Path::new(&name);
    std::fs::DirBuilder::new().mode(0o700).create(new)?;
    let made = std::fs::set_permissions(new, PermissionsExt::from_mode(mode)).and_then(|()| rename_new(new, path));
    if made.is_err() {
        // Somebody else was first, or it failed for good: ours is empty and of no use.
        let _ = std::fs::remove_dir(new);
    }
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
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

    /// What it is: its own, wherever its path leads by now.
    pub(crate) fn entry(&self) -> io::Result<Entry> {
        let stat = rustix::fs::fstat(&self.0)?;
        Ok(Entry { kind: EntryKind::Folder, user: stat.st_uid, mode: stat.st_mode & 0o7777 })
    }

    /// Makes a folder in this one, as [`create_folder`] does.
    pub(crate) fn create_folder(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        let mut new = name.to_owned();
        new.push(format!("{UNFINISHED}{:016x}", crate::random::number()?));
        rustix::fs::mkdirat(&self.0, &new, Mode::RWXU)?;
        // Whatever the umask has left of its mode.
        let made = Self::opened_up(Some(self), Path::new(&new))
            .and_then(|folder| Ok(rustix::fs::fchmod(&folder.0, Mode::from_raw_mode(mode))?))
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

    /// Makes a file that must not exist yet, for everybody to read and write whatever the umask.
    pub(crate) fn create_shared(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::RUSR | Mode::WUSR)?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(0o666))?;
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

    /// Removes an empty folder.
    pub(crate) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
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
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Makes a file that must not exist yet, readable by its owner only.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        self.create_with(name, Mode::RUSR | Mode::WUSR)
    }

    /// As [`create`](Self::create), marked by its mode as one that [`finish`](Self::finish) is still to be called for.
    pub(crate) fn create_unfinished(&self, name: &OsStr) -> io::Result<File> {
        self.create_with(name, Mode::RUSR)
    }

    fn create_with(&self, name: &OsStr, mode: Mode) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, mode)?.into())
    }

    /// Takes the mark of [`create_unfinished`](Self::create_unfinished) away. By the file, not by its name, under which
    /// there may be another's by now.
    pub(crate) fn finish(file: &File) -> io::Result<()> {
        Ok(rustix::fs::fchmod(file, Mode::RUSR | Mode::WUSR)?)
    }

    /// Whether a file bears that mark.
    pub(crate) fn is_unfinished(metadata: &std::fs::Metadata) -> bool {
        bears_mark(metadata.mode())
    }

    /// Whether something of that name exists and does not bear that mark. Told without opening it, which only its owner
    /// may do.
    pub(crate) fn has_finished(&self, name: &OsStr) -> io::Result<bool> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(!bears_mark(stat.st_mode)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
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

fn bears_mark(mode: u32) -> bool {
    mode & Mode::WUSR.bits() == 0
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
