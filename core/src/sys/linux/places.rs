//! Folders that may be looked into by name, though not listed, and so are opened as places (`O_PATH`).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};

/// Opens a folder to look things up in it; a symbolic link is refused.
pub(crate) fn open_place(inside: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(inside, name, flags, Mode::empty())?)
}

/// Gives the owner of a folder every right to it, and opens it.
pub(crate) fn open_up(inside: BorrowedFd<'_>, name: &Path) -> io::Result<OwnedFd> {
    let found = open_place(inside, name)?;
    // One that may not be read can only be opened as a place, and a place has no mode to set but by this name.
    let this_very_one = format!("/proc/self/fd/{}", found.as_raw_fd());
    std::fs::set_permissions(this_very_one, PermissionsExt::from_mode(0o700))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(openat(&found, ".", flags, Mode::empty())?)
}
