//! Open-file-description locks on byte ranges: byte p stands for port p.

use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::pool::PortRange;

/// Takes a write lock over `range` for this open file description, all or nothing. `false`: another description
/// has a part of it.
pub(crate) fn try_lock(file: &File, range: PortRange) -> io::Result<bool> {
    match fcntl(file, FcntlArg::F_OFD_SETLK(&flock(libc::F_WRLCK, range))) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Lets go of `range`, for every process that shares the description.
pub(crate) fn unlock(file: &File, range: PortRange) -> io::Result<()> {
    fcntl(file, FcntlArg::F_OFD_SETLK(&flock(libc::F_UNLCK, range)))?;
    Ok(())
}

/// The ports of a lock of another description that overlaps `range`: the oldest such lock, not the lowest.
pub(crate) fn conflict(file: &File, range: PortRange) -> io::Result<Option<PortRange>> {
    let mut lock = flock(libc::F_WRLCK, range);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock))?;
    if libc::c_int::from(lock.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    // A lock of length 0 reaches to the end of the file, however far that grows.
    let last = if lock.l_len == 0 { i64::from(u16::MAX) } else { lock.l_start + lock.l_len - 1 };
    let clamp = |at: i64| u16::try_from(at.clamp(1, i64::from(u16::MAX))).unwrap_or(u16::MAX);
    Ok(PortRange::new(clamp(lock.l_start), clamp(last)))
}

fn flock(kind: libc::c_int, range: PortRange) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: libc::off_t::from(range.first()),
        l_len: libc::off_t::from(range.last() - range.first()) + 1,
        l_pid: 0,
    }
}
