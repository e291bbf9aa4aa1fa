//! Showing something again and again: on a terminal in place, on a screen of its own that leaves no trace; into
//! anything else one after the other, without a control character. Knows terminals and signals, not what is shown.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::exit::{Exit, Failure};
use crate::output;

/// Signals that end it; the terminal is put back first.
const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Signals that a terminal wants attention for: another size, being stopped and continued.
const OF_TERMINAL: [Signal; 3] = [Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT];

/// Another screen, without a cursor, on which long lines are cut; and back, in the opposite order.
const ENTER: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// To the first line; to the end of a line, and of the screen, without what was there.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// For terminals that do not make a signal of it.
const CTRL_C: u8 = 3;

/// A terminal that does not know its height is as high as they used to be.
const HEIGHT: usize = 24;

/// Shows what `render` says every `interval`, until somebody ends it.
pub(crate) fn show(interval: Duration, render: impl FnMut() -> Result<String, Failure>) -> Result<Exit, Failure> {
    let signals = Signals::hold()?;
    if io::stdout().is_terminal() { in_place(interval, &signals, render) } else { in_turn(interval, &signals, render) }
}

fn in_place(
    interval: Duration,
    signals: &Signals,
    mut render: impl FnMut() -> Result<String, Failure>,
) -> Result<Exit, Failure> {
    // What cannot be shown at all is not worth another screen.
    let mut text = render()?;
    let mut screen = Screen::enter()?;
    loop {
        screen.draw(&text, interval)?;
        let drawn = Instant::now();
        loop {
            match wait(signals, screen.keys(), interval.saturating_sub(drawn.elapsed()))? {
                Event::Time | Event::Signal(Signal::SIGWINCH) => break,
                Event::Signal(Signal::SIGTSTP) => {
                    screen.leave()?;
                    stop()?;
                }
                // Whoever had the terminal meanwhile has left it in another state.
                Event::Signal(Signal::SIGCONT) => {
                    screen.leave()?;
                    screen.resume()?;
                    break;
                }
                Event::Signal(signal) => return Ok(ended_by(signal)),
                Event::Keys if screen.asked_to_end() => return Ok(Exit::Success),
                Event::Keys => {}
            }
        }
        text = render()?;
    }
}

fn in_turn(
    interval: Duration,
    signals: &Signals,
    mut render: impl FnMut() -> Result<String, Failure>,
) -> Result<Exit, Failure> {
    output::result(&render()?)?;
    let mut shown = Instant::now();
    loop {
        match wait(signals, None, interval.saturating_sub(shown.elapsed()))? {
            Event::Time => {
                output::result(&format!("\n{}", render()?))?;
                shown = Instant::now();
            }
            Event::Signal(Signal::SIGTSTP) => stop()?,
            Event::Signal(signal) if ENDING.contains(&signal) => return Ok(ended_by(signal)),
            Event::Signal(_) | Event::Keys => {}
        }
    }
}

/// Stops this process, as the signal that was held back would have, until it is continued.
fn stop() -> io::Result<()> {
    Ok(kill_process(getpid(), rustix::process::Signal::STOP)?)
}

/// As shells have it.
fn ended_by(signal: Signal) -> Exit {
    Exit::Command(u8::try_from(128 + signal as i32).unwrap_or(1))
}

/// What a wait is over for.
enum Event {
    Time,
    Signal(Signal),
    Keys,
}

fn wait(signals: &Signals, keys: Option<&io::Stdin>, limit: Duration) -> io::Result<Event> {
    let start = Instant::now();
    loop {
        if let Some(signal) = signals.next()? {
            return Ok(Event::Signal(signal));
        }
        let left =
            Timespec::try_from(limit.saturating_sub(start.elapsed())).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 });
        let mut watched = vec![PollFd::from_borrowed_fd(signals.file.as_fd(), PollFlags::IN)];
        watched.extend(keys.map(|keys| PollFd::from_borrowed_fd(keys.as_fd(), PollFlags::IN)));
        match poll(&mut watched, Some(&left)) {
            Ok(0) => return Ok(Event::Time),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if watched.get(1).is_some_and(|keys| !keys.revents().is_empty()) {
            return Ok(Event::Keys);
        }
    }
}

/// Signals that are held back from this process, for as long as this is there.
struct Signals {
    file: SignalFd,
    before: SigSet,
}

impl Signals {
    fn hold() -> io::Result<Self> {
        let set: SigSet = ENDING.into_iter().chain(OF_TERMINAL).collect();
        let file = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { file, before: set.thread_swap_mask(SigmaskHow::SIG_BLOCK)? })
    }

    fn next(&self) -> io::Result<Option<Signal>> {
        let Some(info) = self.file.read_signal()? else { return Ok(None) };
        Ok(i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok()))
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// The terminal while it is ours. Put back when this is dropped, whatever the reason.
struct Screen {
    keyboard: Option<Keyboard>,
    entered: bool,
}

/// Standard input, if it is a terminal; and how it was.
struct Keyboard {
    stdin: io::Stdin,
    before: Termios,
}

impl Screen {
    fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        let keyboard = tcgetattr(&stdin).ok().map(|before| Keyboard { stdin, before });
        let mut screen = Self { keyboard, entered: false };
        screen.resume()?;
        Ok(screen)
    }

    /// Modes first: a job in the background is stopped there, before it has touched the screen.
    fn resume(&mut self) -> io::Result<()> {
        self.entered = true;
        if let Some(Keyboard { stdin, before }) = &self.keyboard {
            let mut modes = before.clone();
            // Key by key and unseen; Ctrl-C and Ctrl-Z remain signals.
            modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
            tcsetattr(stdin, OptionalActions::Now, &modes)?;
        }
        output::result(ENTER)
    }

    fn leave(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.entered) {
            return Ok(());
        }
        let shown = output::result(LEAVE);
        if let Some(Keyboard { stdin, before }) = &self.keyboard {
            tcsetattr(stdin, OptionalActions::Now, before)?;
        }
        shown
    }

    /// As much as the terminal has room for, and a line that says how to get out.
    fn draw(&mut self, text: &str, interval: Duration) -> io::Result<()> {
        if !self.entered {
            // It could not be stopped, as the first process of a container cannot.
            self.resume()?;
        }
        let rows = tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_row));
        let room = if rows == 0 { HEIGHT } else { rows }.saturating_sub(1);
        let mut whole = HOME.to_owned();
        for line in text.lines().take(room) {
            whole += line;
            whole += CLEAR_LINE;
            whole.push('\n');
        }
        let hidden = text.lines().count().saturating_sub(room);
        if hidden > 0 {
            whole += &format!("{} below. ", output::count(hidden, "more line"));
        }
        whole += &format!("Every {}", humantime::format_duration(interval));
        whole += if self.keyboard.is_some() { "; q ends it" } else { "; Ctrl-C ends it" };
        whole += CLEAR_LINE;
        whole += CLEAR_BELOW;
        output::result(&whole)
    }

    fn keys(&self) -> Option<&io::Stdin> {
        self.keyboard.as_ref().map(|keyboard| &keyboard.stdin)
    }

    /// Takes in what was typed. A terminal that is gone has no more to say, nor has it modes to put back.
    fn asked_to_end(&mut self) -> bool {
        let Some(keyboard) = &self.keyboard else { return false };
        let mut typed = [0; 64];
        match rustix::io::read(&keyboard.stdin, &mut typed) {
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => false,
            Ok(length @ 1..) => typed.iter().take(length).any(|key| matches!(*key, b'q' | b'Q' | CTRL_C)),
            Ok(0) | Err(_) => {
                self.keyboard = None;
                false
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.leave();
    }
}
