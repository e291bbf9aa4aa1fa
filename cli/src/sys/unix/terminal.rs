//! A terminal's keyboard and signals, as events.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::signal_queue::SignalQueue;
use crate::sys::event::Event;

const SIGNALS: [Signal; 7] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::WINCH, Signal::TSTP, Signal::CONT];

/// The longest single wait, where the limit is more than the system call can express.
const HOUR: Timespec = Timespec { tv_sec: 3600, tv_nsec: 0 };

pub(crate) struct Terminal {
    signals: SignalQueue,
    keyboard: Option<Keyboard>,
}

/// Standard input if it is a terminal, with the modes it had.
struct Keyboard {
    stdin: io::Stdin,
    before: Termios,
}

impl Terminal {
    pub(crate) fn hold() -> io::Result<Self> {
        Ok(Self { signals: SignalQueue::block(&SIGNALS)?, keyboard: None })
    }

    pub(crate) fn open_keyboard(&mut self) {
        let stdin = io::stdin();
        self.keyboard = tcgetattr(&stdin).ok().map(|before| Keyboard { stdin, before });
    }

    pub(crate) fn has_keyboard(&self) -> bool {
        self.keyboard.is_some()
    }

    pub(crate) fn read_keys(&self) -> io::Result<()> {
        let Some(Keyboard { stdin, before }) = &self.keyboard else { return Ok(()) };
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        Ok(tcsetattr(stdin, OptionalActions::Now, &modes)?)
    }

    pub(crate) fn restore(&self) -> io::Result<()> {
        let Some(Keyboard { stdin, before }) = &self.keyboard else { return Ok(()) };
        Ok(tcsetattr(stdin, OptionalActions::Now, before)?)
    }

    pub(crate) fn next_event(&mut self, limit: Duration) -> io::Result<Event> {
        let start = Instant::now();
        loop {
            if let Some(received) = self.signals.next()? {
                return Ok(event(received.signal));
            }
            let left = Timespec::try_from(limit.saturating_sub(start.elapsed())).unwrap_or(HOUR);
            let mut watched = vec![PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN)];
            watched
                .extend(self.keyboard.iter().map(|keys| PollFd::from_borrowed_fd(keys.stdin.as_fd(), PollFlags::IN)));
            match poll(&mut watched, Some(&left)) {
                Ok(0) => return Ok(Event::Timeout),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if watched.get(1).is_some_and(|keys| !keys.revents().is_empty())
                && let Some(keys) = self.typed()
            {
                return Ok(Event::Keys(keys));
            }
        }
    }

    /// What was typed. A terminal that is gone has neither keys nor modes to restore.
    fn typed(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; 64];
        match rustix::io::read(&self.keyboard.as_ref()?.stdin, &mut buffer) {
            Ok(length @ 1..) => buffer.get(..length).map(<[u8]>::to_vec),
            Err(Errno::INTR | Errno::AGAIN) => None,
            Ok(0) | Err(_) => {
                self.keyboard = None;
                None
            }
        }
    }

    pub(crate) fn suspend(&self) -> io::Result<()> {
        Ok(kill_process(getpid(), Signal::STOP)?)
    }
}

fn event(signal: Signal) -> Event {
    match signal {
        Signal::WINCH => Event::Resized,
        Signal::TSTP => Event::Suspend,
        Signal::CONT => Event::Continued,
        signal => Event::End(u8::try_from(128 + signal.as_raw()).unwrap_or(1)),
    }
}
