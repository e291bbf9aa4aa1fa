//! Showing a text again and again: on a terminal in place, on the alternate screen, which leaves no trace; otherwise
//! one text after the other, without control characters. Does not know what the text is about.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crate::exit::{Exit, Failure};
use crate::output;
use crate::sys::{Event, Terminal};

/// The alternate screen, without wrapping long lines and without a cursor; and back, in the opposite order.
const ENTER: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// Move to the first line; erase the rest of the line; erase the rest of the screen.
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// For terminals that send Ctrl-C as a key, not as a signal.
const CTRL_C: u8 = 3;

/// For terminals that do not report their size.
const HEIGHT: usize = 24;

/// Shows what `render` returns every `interval`, until the user ends it.
pub(crate) fn show(interval: Duration, render: impl FnMut() -> Result<String, Failure>) -> Result<Exit, Failure> {
    let terminal = Terminal::hold().map_err(|error| Failure::System("cannot watch for signals", error))?;
    if io::stdout().is_terminal() { in_place(interval, terminal, render) } else { in_turn(interval, terminal, render) }
}

fn in_place(
    interval: Duration,
    terminal: Terminal,
    mut render: impl FnMut() -> Result<String, Failure>,
) -> Result<Exit, Failure> {
    // Before the screen changes: the first text may be an error.
    let mut text = render()?;
    let mut screen = Screen::enter(terminal)?;
    loop {
        screen.draw(&text, interval)?;
        let drawn = Instant::now();
        loop {
            match screen.terminal.next_event(interval.saturating_sub(drawn.elapsed()))? {
                Event::Timeout | Event::Resized => break,
                Event::Keys(keys) if keys.iter().any(|key| matches!(*key, b'q' | b'Q' | CTRL_C)) => {
                    return Ok(Exit::Success);
                }
                Event::Keys(_) => {}
                Event::Suspend => {
                    screen.leave()?;
                    screen.terminal.suspend()?;
                }
                // Other programs may have changed the terminal in the meantime.
                Event::Continued => {
                    screen.leave()?;
                    screen.resume()?;
                    break;
                }
                Event::End(status) => return Ok(Exit::Command(status)),
            }
        }
        text = render()?;
    }
}

fn in_turn(
    interval: Duration,
    mut terminal: Terminal,
    mut render: impl FnMut() -> Result<String, Failure>,
) -> Result<Exit, Failure> {
    output::result(&render()?)?;
    let mut shown = Instant::now();
    loop {
        match terminal.next_event(interval.saturating_sub(shown.elapsed()))? {
            Event::Timeout => {
                output::result(&format!("\n{}", render()?))?;
                shown = Instant::now();
            }
            Event::Suspend => terminal.suspend()?,
            Event::End(status) => return Ok(Exit::Command(status)),
            Event::Keys(_) | Event::Resized | Event::Continued => {}
        }
    }
}

/// The alternate screen. Dropping it restores the terminal.
struct Screen {
    terminal: Terminal,
    entered: bool,
}

impl Screen {
    fn enter(mut terminal: Terminal) -> io::Result<Self> {
        terminal.open_keyboard();
        let mut screen = Self { terminal, entered: false };
        screen.resume()?;
        Ok(screen)
    }

    /// Keyboard first: that stops a background job, which must not have touched the screen by then.
    fn resume(&mut self) -> io::Result<()> {
        self.entered = true;
        self.terminal.read_keys()?;
        output::result(ENTER)
    }

    fn leave(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.entered) {
            return Ok(());
        }
        let shown = output::result(LEAVE);
        self.terminal.restore()?;
        shown
    }

    /// As many lines as fit, and one that says how to quit.
    fn draw(&mut self, text: &str, interval: Duration) -> io::Result<()> {
        if !self.entered {
            // The process was not suspended after all: PID 1 of a container cannot be.
            self.resume()?;
        }
        let rows = terminal_size::terminal_size_of(io::stdout()).map_or(0, |(_, rows)| usize::from(rows.0));
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
        let key = if self.terminal.has_keyboard() { "q" } else { "Ctrl-C" };
        whole += &format!("Every {}; {key} to quit", humantime::format_duration(interval));
        whole += CLEAR_LINE;
        whole += CLEAR_BELOW;
        output::result(&whole)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.leave();
    }
}
