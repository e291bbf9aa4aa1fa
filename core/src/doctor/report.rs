//! The report and its form as JSON, which the command line prints and the bindings read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use super::Explanation;
use crate::error::Error;
use crate::sys;

/// What [`examine`](super::examine) found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whether portalloc keeps every promise here: no check is broken.
    pub ok: bool,
    /// One for each thing that could be otherwise, always the same ones in the same order.
    pub checks: Vec<Check>,
    /// Whether a lease would be granted, if that was asked.
    pub explanation: Option<Explanation>,
    /// What a bug report should contain beside the checks.
    pub machine: Machine,
}

impl Report {
    /// The check with this code.
    #[must_use]
    pub fn check(&self, code: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.code == code)
    }
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// A stable word for what was examined, such as `ephemeral_range`.
    pub code: &'static str,
    /// The result.
    pub status: Status,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do about it, where something can be done.
    pub remedy: Option<String>,
    /// Details by name, to compare reports of two processes.
    pub facts: BTreeMap<&'static str, String>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// As it should be.
    Ok,
    /// Every promise is kept, but a user should know this.
    Note,
    /// A promise is not kept here.
    Broken,
    /// Not examined, because of another line that is broken.
    Skipped,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Note, Self::Broken, Self::Skipped];

    /// The stable word: `ok`, `note`, `broken`, `skipped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Broken => "broken",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Check {
    pub(super) fn ok(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: Status::Ok, message: message.into(), remedy: None, facts: BTreeMap::new() }
    }

    pub(super) fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: Status::Note, ..Self::ok(code, message) }
    }

    pub(super) fn broken(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { status: Status::Broken, remedy: Some(remedy.into()), ..Self::ok(code, message) }
    }

    /// Broken, in the words of an error.
    pub(super) fn failed(code: &'static str, error: &Error) -> Self {
        Self::broken(code, error.message(), error.remedy())
    }

    pub(super) fn skipped(code: &'static str, because_of: &str) -> Self {
        Self { status: Status::Skipped, ..Self::ok(code, format!("not examined, because of the line {because_of}")) }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }

    pub(super) fn fact(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.facts.insert(name, value.to_string());
        self
    }
}

/// What a bug report should contain beside the checks. Has neither the host's name nor that of the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Machine {
    /// The version of portalloc.
    pub version: &'static str,
    /// The operating system.
    pub system: &'static str,
    /// The version of its kernel.
    pub kernel: String,
    /// The processor architecture that portalloc was built for.
    pub architecture: &'static str,
    /// The C library that portalloc was built for.
    pub libc: &'static str,
    /// The user ID of this process.
    pub user_id: u32,
    /// The containers and sandboxes in which this process seems to run.
    pub sandboxes: BTreeSet<String>,
    /// The numbers of this thread's namespaces, by kind.
    pub namespaces: BTreeMap<&'static str, u64>,
    /// `TMPDIR`, `ISOLATION_ID` and every variable whose name begins with `PORTALLOC_`.
    pub variables: Vec<Variable>,
}

/// A variable that is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Machine {
    pub(super) fn this() -> Self {
        let is_ours = |name: &str| name.starts_with("PORTALLOC_") || ["TMPDIR", "ISOLATION_ID"].contains(&name);
        let mut variables: Vec<_> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
            .filter(|(name, _)| is_ours(name))
            .map(|(name, value)| Variable { name, value })
            .collect();
        variables.sort_unstable();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            system: std::env::consts::OS,
            kernel: sys::kernel_release(),
            architecture: std::env::consts::ARCH,
            libc: sys::words::LIBC,
            user_id: sys::user_id(),
            sandboxes: sys::sandboxes(),
            namespaces: sys::namespaces(),
            variables,
        }
    }
}
