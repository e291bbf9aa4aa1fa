//! Open-file-description locks on byte ranges: byte 2^40 + p stands for port p. That is beyond all data, because some
//! systems prevent others from reading a locked range.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use crate::port_set::PortRange;

/// Where the locks begin. This must never change: locks elsewhere exclude nobody.
const BASE: i64 = 1 << 40;

/// `struct flock` with 64-bit offsets, on every target.
#[cfg(any(target_pointer_width = "64", not(target_env = "gnu")))]
use libc::flock as Flock;
#[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
use libc::flock64 as Flock;

/// Takes a write lock on `range` for this open file description, all or nothing. `false` if another description has a
/// part of it.
pub(crate) fn try_lock(file: &File, range: PortRange) -> io::Result<bool> {
    taken(control(file, libc::F_OFD_SETLK, &mut flock(libc::F_WRLCK, range)))
}

fn taken(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// As [`try_lock`], for a single byte that stands for no port.
pub(crate) fn try_lock_byte(file: &File, byte: u64) -> io::Result<bool> {
    taken(control(file, libc::F_OFD_SETLK, &mut bytes(libc::F_WRLCK, start_of(byte)?, 1)))
}

/// Takes a read lock on such a byte, of which several descriptions can have one at once. `false` if another description
/// has a write lock on it.
pub(crate) fn try_share_byte(file: &File, byte: u64) -> io::Result<bool> {
    taken(control(file, libc::F_OFD_SETLK, &mut bytes(libc::F_RDLCK, start_of(byte)?, 1)))
}

/// Releases such a byte, for every process that shares the description.
pub(crate) fn unlock_byte(file: &File, byte: u64) -> io::Result<()> {
    control(file, libc::F_OFD_SETLK, &mut bytes(libc::F_UNLCK, start_of(byte)?, 1))
}

fn start_of(byte: u64) -> io::Result<i64> {
    i64::try_from(byte).map_err(|_| io::ErrorKind::InvalidInput.into())
}

/// Releases `range`, for every process that shares the description.
pub(crate) fn unlock(file: &File, range: PortRange) -> io::Result<()> {
    control(file, libc::F_OFD_SETLK, &mut flock(libc::F_UNLCK, range))
}

/// The ports of a lock of another description that overlaps `range`: the oldest such lock, not the lowest.
pub(crate) fn conflict(file: &File, range: PortRange) -> io::Result<Option<PortRange>> {
    let mut lock = flock(libc::F_WRLCK, range);
    control(file, libc::F_OFD_GETLK, &mut lock)?;
    if libc::c_int::from(lock.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    let port = |at: i64| u16::try_from((at - BASE).clamp(1, i64::from(u16::MAX))).unwrap_or(u16::MAX);
    // A lock of length 0 extends to the end of the file, even as it grows.
    let last = if lock.l_len == 0 { i64::MAX } else { lock.l_start.saturating_add(lock.l_len - 1) };
    Ok(PortRange::new(port(lock.l_start), port(last)))
}

fn control(file: &File, command: libc::c_int, lock: &mut Flock) -> io::Result<()> {
    let lock: *mut Flock = lock;
    #[cfg(any(target_pointer_width = "64", not(target_env = "gnu")))]
    // SAFETY: these commands read a `struct flock` and write one, which `lock` points to.
    let done = unsafe { libc::fcntl(file.as_raw_fd(), command, lock) };
    #[cfg(all(target_pointer_width = "32", target_env = "gnu"))]
    // SAFETY: as above; the system's library would take a `struct flock` with 32-bit offsets here.
    let done = unsafe { libc::syscall(libc::SYS_fcntl64, file.as_raw_fd(), command, lock) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn flock(kind: libc::c_int, range: PortRange) -> Flock {
    bytes(kind, BASE + i64::from(range.first()), i64::from(range.last() - range.first()) + 1)
}

fn bytes(kind: libc::c_int, start: i64, length: i64) -> Flock {
    Flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: length,
        l_pid: 0,
    }
}
