//! A platform without an implementation: it compiles, and every call fails with `unsupported`.

use std::convert::Infallible;
use std::io;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use super::event::Event;

/// Never exists.
pub(crate) struct Forwarder(Infallible);

impl Forwarder {
    pub(crate) fn hold() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn wait(&self, _child: &mut Child) -> io::Result<ExitStatus> {
        match self.0 {}
    }
}

pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Never exists.
pub(crate) struct Terminal(Infallible);

impl Terminal {
    pub(crate) fn hold() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn open_keyboard(&mut self) {
        match self.0 {}
    }

    pub(crate) fn has_keyboard(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn read_keys(&self) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn restore(&self) -> io::Result<()> {
        match self.0 {}
    }

    pub(crate) fn next_event(&mut self, _limit: Duration) -> io::Result<Event> {
        match self.0 {}
    }

    pub(crate) fn suspend(&self) -> io::Result<()> {
        match self.0 {}
    }
}
