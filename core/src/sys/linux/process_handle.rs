//! A process that cannot be mistaken for a later one with the same PID: a signal by its handle reaches it or nobody, and
//! its end is announced. Knows no files.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::sys::unix::descriptor::above_standard;

/// A pidfd.
#[derive(Debug)]
pub(crate) struct ProcessHandle(OwnedFd);

impl ProcessHandle {
    /// The process that has this PID now; `None` if there is none. Whoever means a process that had it before compares
    /// its start time after this call.
    pub(crate) fn open(pid: u32) -> io::Result<Option<Self>> {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Ok(Some(Self(above_standard(handle)?))),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks it to end (SIGTERM). `false` if it has ended.
    pub(crate) fn terminate(&self) -> io::Result<bool> {
        self.send(Signal::TERM)
    }

    /// Ends it (SIGKILL). `false` if it has ended.
    pub(crate) fn kill(&self) -> io::Result<bool> {
        self.send(Signal::KILL)
    }

    fn send(&self, signal: Signal) -> io::Result<bool> {
        match pidfd_send_signal(&self.0, signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
            .is_ok_and(|ready| ready > 0)
    }
}

/// Blocks until one of the processes has ended, or for `limit`. An interrupted wait ends early.
pub(crate) fn wait_ended(processes: &[&ProcessHandle], limit: Duration) -> io::Result<()> {
    let timeout = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
    let mut watched: Vec<_> = processes.iter().map(|process| PollFd::new(&process.0, PollFlags::IN)).collect();
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_announced_and_a_signal_reaches_nobody_after_it() {
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let handle = ProcessHandle::open(child.id()).unwrap().unwrap();
        assert!(!handle.has_ended());
        assert!(handle.terminate().unwrap());
        wait_ended(&[&handle], Duration::from_secs(60)).unwrap();
        assert!(handle.has_ended());
        child.wait().unwrap();
        assert!(!handle.terminate().unwrap() && !handle.kill().unwrap());
        assert!(ProcessHandle::open(child.id()).unwrap().is_none());
        assert!(ProcessHandle::open(0).unwrap().is_none() && ProcessHandle::open(u32::MAX).unwrap().is_none());
    }
}
