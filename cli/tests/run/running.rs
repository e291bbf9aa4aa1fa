//! Commands that are running, and whom a test may signal.

#![expect(clippy::expect_used, reason = "a helper of tests: a failure is a failed test")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch::status;

/// A command that is running, with both ends of its pipes. Dropped, it is killed, and whoever reads its standard input
/// finds the end of it.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, stdin, lines }
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("its output is text");
        line.trim_end().to_owned()
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Ends its standard input, and waits: its status, and what else it wrote.
    pub(crate) fn end(mut self) -> (i32, String) {
        self.stdin = None;
        let status = self.wait();
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).expect("its output is text");
        (status, rest)
    }

    pub(crate) fn wait(&mut self) -> i32 {
        status(self.child.wait().expect("it is a child of this process"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn kill(pid: &str, signal: Signal) {
    kill_process(Pid::from_raw(pid.parse().expect("a process ID")).expect("a process ID"), signal).expect("it runs");
}
