//! A process that does what a test tells it to: the test's end of the pipes.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper of tests: a failure is a failed test")]

use std::process::Command;

use portalloc_testkit::Running;
use rustix::process::Signal;
use serde_json::Value;

/// An actor's answer to a command.
pub type Answer = Result<Value, Failure>;

/// The error that a command of an actor met.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its stable code.
    pub code: String,
    /// Its message and remedy.
    pub message: String,
}

/// A running actor. Dropping it kills it.
#[derive(Debug)]
pub struct Actor(Running);

impl Actor {
    /// Starts a process that ends up as an actor.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        Self(Running::start(&mut command))
    }

    /// Its process ID; of `unshare --fork`, if that started it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.0.pid()
    }

    /// Sends a command without waiting for the answer.
    pub fn send(&mut self, command: &str) {
        self.0.say(command);
    }

    /// The answer to the oldest command that was not answered yet.
    pub fn answer(&mut self) -> Answer {
        let line = self.0.line();
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the actor answers {line:?}"));
        read(&answer)
    }

    /// Whether there is an answer to be had without waiting.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.0.has_written()
    }

    /// Sends a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> Answer {
        self.send(command);
        self.answer()
    }

    /// As [`ask`](Self::ask), for a command that must succeed.
    pub fn ok(&mut self, command: &str) -> Value {
        self.ask(command).unwrap_or_else(|failure| panic!("{command}: {failure:?}"))
    }

    /// As [`ask`](Self::ask), for a command that must fail with `code`.
    pub fn fails(&mut self, command: &str, code: &str) -> Failure {
        match self.ask(command) {
            Err(failure) if failure.code == code => failure,
            other => panic!("{command}: not {code} but {other:?}"),
        }
    }

    /// Leases ports that must be had.
    pub fn lease(&mut self, command: &str) -> Vec<u16> {
        ports(&self.ok(command))
    }

    /// What it says until it ends, by itself or because it was killed.
    pub fn last_words(&mut self) -> String {
        self.0.rest()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.0.signal(signal);
    }

    /// Kills it with SIGKILL and waits for its end. Its standard input stays open for children that it forked.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Kills it, and leaves it a zombie.
    pub fn kill_unreaped(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Reads an answer, also one of a forked child that its parent passes on.
pub(crate) fn read(answer: &Value) -> Answer {
    let text = |key: &str| answer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match answer.get("ok") {
        Some(value) => Ok(value.clone()),
        None => Err(Failure { code: text("error"), message: text("message") }),
    }
}

/// The ports in an answer.
fn ports(answer: &Value) -> Vec<u16> {
    let listed = answer.get("ports").and_then(Value::as_array).expect("an answer with ports");
    listed.iter().filter_map(|port| u16::try_from(port.as_u64()?).ok()).collect()
}
