//! The command line's platform room: no other file of this crate names an operating system or its calls.
//!
//! This file is the contract. A platform is one module that provides these items, under these names:
//!
//! | item | must provide |
//! |---|---|
//! | `Forwarder::hold() -> io::Result<Forwarder>` | From here until it is dropped, a signal that would end this process is kept for the child instead. Signals that are ignored stay ignored. |
//! | `Forwarder::wait(&self, &mut Child) -> io::Result<ExitStatus>` | Waits for the child, and forwards each signal to it exactly once: what a terminal sends to the whole process group must not arrive twice. Never signals a process ID that another process may have taken over. |
//! | `exit_code(ExitStatus) -> u8` | The exit status as a shell reports it: 128 plus the signal's number for a child that was killed. |
//! | `Terminal::hold() -> io::Result<Terminal>` | From here until it is dropped, interrupts and the signals of terminals arrive as an [`Event`]. |
//! | `Terminal::open_keyboard(&mut self)` | Remembers the keyboard's modes; there is no keyboard where standard input is no terminal. |
//! | `Terminal::has_keyboard(&self) -> bool` | Whether keys can arrive. |
//! | `Terminal::read_keys(&self)`, `restore(&self)`, both `-> io::Result<()>` | Delivers keys one by one and unechoed, with interrupts still signals; puts the modes back. Both do nothing without a keyboard. |
//! | `Terminal::next_event(&mut self, Duration) -> io::Result<Event>` | The next event, or [`Event::Timeout`] after that long. |
//! | `Terminal::suspend(&self) -> io::Result<()>` | Suspends this process until somebody continues it. |
//!
//! Drawing is not part of it: escape sequences and the size of a terminal are the same everywhere, by crates.

#[cfg(target_os = "linux")]
mod unix;
#[cfg(not(target_os = "linux"))]
mod unsupported;

#[cfg(target_os = "linux")]
pub(crate) use unix::{Forwarder, Terminal, exit_code};
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{Forwarder, Terminal, exit_code};

/// What a [`Terminal`] was waiting for.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only a supported platform has events"))]
pub(crate) enum Event {
    /// The time is over.
    Timeout,
    /// The user typed this.
    Keys(Vec<u8>),
    /// The terminal has another size.
    Resized,
    /// The user asked to suspend this process (Ctrl-Z).
    Suspend,
    /// This process was suspended, and now continues.
    Continued,
    /// A signal asks this process to end, with this exit status.
    End(u8),
}
