//! Waits until a process closes a file: the kernel reports every end of a lease, by release or by the death of its
//! holder.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;

use crate::sys::unix::descriptor::above_standard;

/// A watch on one file. Events that arrive between waits are kept for the next wait.
pub(crate) struct CloseWatch {
    /// `None` if the user's inotify instances are used up: then a wait is a short timeout.
    inotify: Option<OwnedFd>,
}

impl CloseWatch {
    pub(crate) fn new(path: &Path) -> Self {
        let watch = || -> io::Result<OwnedFd> {
            let fd = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
            let fd = above_standard(fd)?;
            inotify::add_watch(&fd, path, inotify::WatchFlags::CLOSE_WRITE)?;
            Ok(fd)
        };
        Self { inotify: watch().ok() }
    }

    /// Blocks until a process closes the file, or for `limit`. Returns whether it was closed.
    pub(crate) fn wait(&self, limit: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        let Some(fd) = &self.inotify else {
            // Nothing reports the event, so the caller has to check again soon.
            let soon = Timespec::try_from(limit.min(Duration::from_millis(20))).unwrap_or(timeout);
            retry(|| poll(&mut [], Some(&soon)))?;
            return Ok(false);
        };
        let ready = retry(|| poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)))?;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(fd, &mut buffer);
        while reader.next().is_ok() {}
        Ok(ready > 0)
    }
}

/// An interrupted wait ends early; callers check and wait again.
fn retry(call: impl FnOnce() -> rustix::io::Result<usize>) -> io::Result<usize> {
    match call() {
        Err(rustix::io::Errno::INTR) => Ok(0),
        other => Ok(other?),
    }
}
