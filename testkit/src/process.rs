//! Child processes that end with the test, even if it fails.

use std::io;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

/// A child process. Dropping it kills it and waits for its end.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a command.
    ///
    /// # Errors
    ///
    /// As [`Command::spawn`].
    pub fn start(command: &mut Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    /// Sends it a signal. It must not have been waited for.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("it runs");
    }

    /// Kills it and waits for its end.
    pub fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sends a signal to a process of which the test knows only the ID.
pub fn kill(pid: &str, signal: Signal) {
    kill_process(Pid::from_raw(pid.parse().expect("a process ID")).expect("a process ID"), signal).expect("it runs");
}
