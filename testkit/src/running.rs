//! Commands that a test communicates with, line by line.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use crate::{Process, status};

/// A running command, with the test's ends of its pipes. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    process: Process,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Longer than any command waits: a command without output for this long hangs.
const LONGEST_SILENCE: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };

impl Running {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Self {
        let started = Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut process = started.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdin = process.stdin.take();
        let stdout = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, stdin, stdout }
    }

    /// Its process ID.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Writes a line to its standard input.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("its standard input is open");
        writeln!(stdin, "{line}").expect("it reads its standard input");
    }

    /// Whether it has written output that was not read yet, or has ended.
    #[must_use]
    pub fn has_written(&self) -> bool {
        self.writes_within(&Timespec { tv_sec: 0, tv_nsec: 0 })
    }

    fn writes_within(&self, time: &Timespec) -> bool {
        !self.stdout.buffer().is_empty()
            || poll(&mut [PollFd::new(self.stdout.get_ref(), PollFlags::IN)], Some(time)).is_ok_and(|ready| ready > 0)
    }

    /// The next line of its standard output.
    pub fn line(&mut self) -> String {
        assert!(self.writes_within(&LONGEST_SILENCE), "process {} hangs", self.pid());
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("its output is text");
        line.trim_end().to_owned()
    }

    /// The rest of its standard output, until it ends.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("its output is text");
        rest
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Kills it and waits for its end. Its standard input stays open for children that it forked.
    pub fn kill(&mut self) {
        self.process.end();
    }

    /// Closes its standard input, also for children that share it.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Closes its standard input and waits for its end. Returns its status and the rest of its output.
    pub fn end(mut self) -> (i32, String) {
        self.end_input();
        let status = self.wait();
        (status, self.rest())
    }

    /// Waits for its end and returns its status.
    pub fn wait(&mut self) -> i32 {
        status(self.process.wait().expect("it is a child of this process"))
    }
}
