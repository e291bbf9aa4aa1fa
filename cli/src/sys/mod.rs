//! The command line's platform room: no other file of this crate names an operating system or its calls.
//!
//! This file is the contract. A platform is one module that provides these items, under these names:
//!
//! - `Forwarder::hold() -> io::Result<Forwarder>`: from here until the forwarder is dropped, a signal that would end
//!   this process is kept for the child. Signals that are ignored stay ignored.
//! - `Forwarder::wait(&self, &mut Child) -> io::Result<ExitStatus>`: waits for the child to end, and forwards each
//!   signal to it once. What a terminal sends to the whole process group is not forwarded, because the child has it
//!   already. Never signals a process ID that another process may have by now.
//! - `exit_code(ExitStatus) -> u8`: the exit status as shells report it, which is 128 plus the signal's number for a
//!   child that was killed.
//! - `Terminal::hold() -> io::Result<Terminal>`: from here until the terminal is dropped, interrupts and the
//!   terminal's own signals arrive as an [`Event`].
//! - `Terminal::open_keyboard(&mut self)`: saves the keyboard's modes. Without a terminal on standard input there is
//!   no keyboard.
//! - `Terminal::has_keyboard(&self) -> bool`: whether keys can arrive.
//! - `Terminal::read_keys(&self) -> io::Result<()>`: from here on keys arrive one by one and are not echoed; Ctrl-C
//!   and Ctrl-Z remain signals. Does nothing without a keyboard.
//! - `Terminal::restore(&self) -> io::Result<()>`: restores the saved modes. Does nothing without a keyboard.
//! - `Terminal::next_event(&mut self, Duration) -> io::Result<Event>`: the next event, or [`Event::Timeout`] after
//!   that long.
//! - `Terminal::suspend(&self) -> io::Result<()>`: suspends this process until another one continues it.
//!
//! Drawing is not part of the contract: escape sequences are the same everywhere, and a crate reports the terminal's
//! size.

mod event;
#[cfg(target_os = "linux")]
mod unix;
#[cfg(not(target_os = "linux"))]
mod unsupported;

pub(crate) use event::Event;
#[cfg(target_os = "linux")]
pub(crate) use unix::{Forwarder, Terminal, exit_code};
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{Forwarder, Terminal, exit_code};
