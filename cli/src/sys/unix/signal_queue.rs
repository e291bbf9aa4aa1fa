//! Blocked signals, read from a descriptor (signalfd); and the end of a child, as a descriptor (pidfd).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::signal::{SigSet, SigmaskHow};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};

/// `SI_KERNEL`: no process sent this signal.
const SI_KERNEL: i32 = 0x80;

/// Signals that are blocked, and queued, until this is dropped.
pub(super) struct SignalQueue {
    file: SignalFd,
    before: SigSet,
}

/// A signal from the queue.
pub(super) struct Received {
    pub(super) signal: Signal,
    /// The kernel sent it, on behalf of a terminal, rather than a process.
    pub(super) by_kernel: bool,
}

impl SignalQueue {
    pub(super) fn block(signals: &[Signal]) -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in signals {
            set.add(signal.as_raw().try_into()?);
        }
        let file = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { file, before: set.thread_swap_mask(SigmaskHow::SIG_BLOCK)? })
    }

    pub(super) fn next(&self) -> io::Result<Option<Received>> {
        while let Some(info) = self.file.read_signal()? {
            if let Some(signal) = i32::try_from(info.ssi_signo).ok().and_then(Signal::from_named_raw) {
                return Ok(Some(Received { signal, by_kernel: info.ssi_code == SI_KERNEL }));
            }
        }
        Ok(None)
    }
}

impl AsFd for SignalQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for SignalQueue {
    /// A second Ctrl-C is not to end the process while it puts things in order: what is still queued is dropped.
    fn drop(&mut self) {
        while let Ok(Some(_)) = self.next() {}
        let _ = self.before.thread_set_mask();
    }
}

/// A descriptor that becomes readable when this child has ended.
pub(super) fn child_end(pid: Pid) -> io::Result<OwnedFd> {
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}
