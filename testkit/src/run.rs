//! The results of programs that have ended: status and output.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output};

use serde_json::Value;

/// How a program ended, and its output.
#[derive(Debug)]
pub struct Run {
    /// Its exit status; negative if a signal killed it.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Run {
    /// Its standard output. Fails unless it succeeded.
    pub fn succeeded(self) -> String {
        assert_eq!(self.status, 0, "{self:?}");
        self.stdout
    }

    /// Its standard output as JSON. Fails unless it succeeded.
    #[must_use]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.succeeded()).expect("JSON")
    }

    /// Its standard error. Fails unless it ended with `status` and wrote no result.
    pub fn failed(self, status: i32) -> String {
        assert_eq!((self.status, self.stdout.as_str()), (status, ""), "{self:?}");
        assert!(!self.stderr.is_empty(), "it failed without a word");
        self.stderr
    }

    /// As [`failed`](Self::failed). Also fails unless standard error contains this error code and no panic.
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

/// A status in the form of [`Run::status`].
#[must_use]
pub fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| -status.signal().expect("a signal"))
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Run {
    command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}")).into()
}
