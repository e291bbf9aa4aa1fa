//! Directories that this user may search but not list. They are opened with `O_PATH`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};

/// Opens a directory for lookups in it. A symbolic link is an error.
pub(crate) fn open_place(inside: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(inside, name, flags, Mode::empty())?)
}

/// Gives the owner of a directory all permissions on it, and opens it.
pub(crate) fn open_up(inside: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let found = open_place(inside, name)?;
    // A directory that may not be read can only be opened with `O_PATH`, and then its mode can only be set by this
    // path.
    let this_very_one = format!("/proc/self/fd/{}", found.as_raw_fd());
    std::fs::set_permissions(this_very_one, PermissionsExt::from_mode(0o700))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(&found, ".", flags, Mode::empty())?)
}
