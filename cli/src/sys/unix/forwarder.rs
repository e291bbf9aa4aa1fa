//! Forwarding signals to a child, and waiting for its end.
//!
//! Both processes are in one process group, so the child already gets what a terminal sends (Ctrl-C); forwarding that
//! would deliver it twice. The kernel sends a hang-up to the session leader alone: if this process is the leader, it
//! forwards the hang-up, otherwise the leader informs the others. Signals from processes reach only this process, which
//! forwards them.

use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpid, getsid, kill_process};

use super::signal_queue::{Received, SignalQueue, child_end};

const FORWARDED: [Signal; 6] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];

/// Signals that are kept for the child.
pub(crate) struct Forwarder(SignalQueue);

impl Forwarder {
    pub(crate) fn hold() -> io::Result<Self> {
        Ok(Self(SignalQueue::block(&FORWARDED)?))
    }

    pub(crate) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
        let end = child_end(pid)?;
        loop {
            let mut watched = [
                PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN),
            ];
            match poll(&mut watched, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            while let Some(received) = self.0.next()? {
                if is_for_child(&received) {
                    // The child may have just ended. Its process ID is its own until `try_wait` has reaped it.
                    let _ = kill_process(pid, received.signal);
                }
            }
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
        }
    }
}

fn is_for_child(received: &Received) -> bool {
    !received.by_kernel || (received.signal == Signal::HUP && getsid(None) == Ok(getpid()))
}
