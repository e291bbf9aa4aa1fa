//! A process that has a language's library loaded and forks workers, so that a new one costs a fork and not a start.
//!
//! For each line `SERIAL SEED` it forks twice, so that the worker is the storm's own child, and answers with its
//! process ID.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use portalloc_testkit::Process;
use rustix::process::Pid;

use crate::failure::{Context, Outcome};

#[derive(Debug)]
pub(crate) struct Nursery {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Nursery {
    pub(crate) fn start(mut command: Command) -> Outcome<Self> {
        let mut process = Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped())).context("a nursery")?;
        let stdin = process.stdin.take().context("a pipe")?;
        let stdout = BufReader::new(process.stdout.take().context("a pipe")?);
        Ok(Self { process, stdin, stdout })
    }

    /// Has a worker forked.
    pub(crate) fn fork(&mut self, serial: &str, seed: u64) -> Outcome<Pid> {
        self.stdin.write_all(format!("{serial} {seed}\n").as_bytes()).context("the nursery has ended")?;
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).context("the nursery's answer")?;
        let pid = answer.trim().parse().ok().and_then(Pid::from_raw);
        pid.context(format!("the nursery of {serial} answers {answer:?}"))
    }

    /// Kills it. Its workers live on.
    pub(crate) fn kill(&mut self) {
        self.process.end();
    }
}
