//! Programs that have ended: how, and what they wrote.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output};

use serde_json::Value;

/// How a program ended, and what it wrote.
#[derive(Debug)]
pub struct Run {
    /// Its exit status; negative if a signal killed it.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Run {
    /// Its standard output, if it succeeded.
    pub fn succeeded(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.stdout
    }

    /// Its standard output as JSON, if it succeeded.
    #[must_use]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.succeeded()).expect("JSON")
    }

    /// What it wrote to standard error, if it ended with `status` and has no result.
    pub fn failed(self, status: i32) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (status, ""), "{self:?}");
        assert!(!self.stderr.is_empty(), "it failed without a word");
        self.stderr
    }

    /// As [`failed`](Self::failed), if standard error tells this error code, and nothing of a panic.
    pub fn failed_with(self, status: i32, code: &str) -> String {
        let stderr = self.failed(status);
        assert!(stderr.starts_with(&format!("portalloc: {code}: ")), "{stderr}");
        stderr
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        Self { status: status(output.status), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// As [`Run::status`] has it.
#[must_use]
pub fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().expect("a signal"))
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}")).into()
}
