//! Passing signals on to the command that runs, and waiting for its end.
//!
//! Both are in one process group, so what the terminal sends (Ctrl-C) reaches the command by itself; passing it on would
//! make it arrive twice. A hang-up reaches the leader of the session alone: if that is this process, it passes it on, else
//! it is for the leader to tell others. What a process sends reaches only this one, and is passed on.

use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use portalloc::Environment;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, getpid, getsid, kill_process, pidfd_open};

use crate::exit::Failure;

const PASSED_ON: [Signal; 6] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGUSR2];

/// The kernel's own mark for a signal that no process sent (`SI_KERNEL`).
const BY_KERNEL: i32 = 0x80;

/// Signals that are held back from this process.
pub(crate) struct Signals(SignalFd);

impl Signals {
    /// From now on they wait to be passed on, and the end of a child is told.
    pub(crate) fn hold() -> Result<Self, Failure> {
        // The command starts with this default, too, even if this process was started with SIGCHLD ignored: else it would
        // lose the statuses of its own children, and what handed that down meant its own children, not theirs.
        Environment::keep_exit_statuses()?;
        Self::block().map_err(|error| Failure::System("cannot hold back signals for the command", error))
    }

    fn block() -> io::Result<Self> {
        let set: SigSet = PASSED_ON.into_iter().collect();
        set.thread_block()?;
        Ok(Self(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// Waits until `child` has ended, and passes on what comes meanwhile.
    pub(crate) fn forward_until_end(&self, child: &mut Child) -> Result<ExitStatus, Failure> {
        self.forward(child).map_err(|error| Failure::System("lost sight of the command, which may still run", error))
    }

    fn forward(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        let process = pidfd_open(pid, PidfdFlags::empty())?;
        loop {
            let mut watched = [
                PollFd::from_borrowed_fd(process.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN),
            ];
            match poll(&mut watched, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            while let Some(info) = self.0.read_signal()? {
                let signal = i32::try_from(info.ssi_signo).ok().and_then(rustix::process::Signal::from_named_raw);
                if let Some(signal) = signal
                    && (info.ssi_code != BY_KERNEL || for_the_leader(signal))
                {
                    // That it has just ended is no reason to fail.
                    let _ = kill_process(pid, signal);
                }
            }
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
        }
    }
}

/// Whether the kernel sent this signal to this process alone, as leader of its session.
fn for_the_leader(signal: rustix::process::Signal) -> bool {
    signal == rustix::process::Signal::HUP && getsid(None) == Ok(getpid())
}
