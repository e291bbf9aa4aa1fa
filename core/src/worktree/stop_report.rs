//! What came of ending an environment's servers: each process, and what was left. Knows no registry.

use std::fmt;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use super::ours::{OursReason, Person};
use crate::id::IsolationId;

/// What came of [`Environment::stop`](crate::Environment::stop).
///
/// ```
/// use portalloc::EnvironmentRequest;
/// use portalloc::worktree::StopOptions;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().names(["web"]))?;
/// let report = environment.stop(&StopOptions::new())?;
/// for process in &report.processes {
///     println!("{process}: {}", process.why);
/// }
/// assert!(report.is_clear());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StopReport {
    /// The environment.
    pub isolation_id: IsolationId,
    /// The processes that are the environment's, in the order in which they were asked to end.
    pub processes: Vec<StoppedProcess>,
    /// The processes on its ports that were left alone.
    pub foreign: Vec<ForeignProcess>,
    /// The sockets on its ports whose processes cannot be inspected.
    pub unknown: Vec<UnknownHolder>,
    /// The processes that start servers of the environment again, and were left alone.
    pub supervisors: Vec<Supervisor>,
    /// Whether the environment was removed, too, as [`Environment::down`](crate::Environment::down) does.
    pub removed: bool,
}

/// A process that is the environment's.
///
/// [`StopReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoppedProcess {
    /// Its process ID.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
    /// Its command line, arguments separated by spaces. May contain any characters.
    pub command: String,
    /// The ports on which it has a socket, or, for a supervisor, on which its servers had one again.
    pub ports: Vec<u16>,
    /// Why it counts as the environment's.
    pub reason: OursReason,
    /// The same as a sentence.
    pub why: String,
    /// Whether it has no socket on the ports, but started a server again that had been ended.
    pub supervisor: bool,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a process ended.
///
/// [`StopReport`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It would be asked to end: this was a dry run.
    WouldEnd,
    /// It ended when it was asked to (SIGTERM).
    Ended,
    /// It did not end in time, and was killed (SIGKILL).
    Killed,
    /// It had ended, or given up the port, before it was asked.
    Gone,
    /// It is still there, although it was killed.
    Remains,
}

/// A process on a port of the environment that was left alone.
///
/// [`StopReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ForeignProcess {
    /// Its process ID.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
    /// Its command line, arguments separated by spaces. May contain any characters.
    pub command: String,
    /// The ports on which it has a socket.
    pub ports: Vec<u16>,
    /// Its current directory, if it can be read.
    pub directory: Option<PathBuf>,
    /// Why it was left alone.
    pub why: String,
}

/// A socket on a port of the environment whose process cannot be inspected.
///
/// [`StopReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnknownHolder {
    /// The port.
    pub port: u16,
    /// The user who made the socket.
    pub user_id: u32,
    /// Why its process cannot be inspected.
    pub why: String,
}

/// A process that starts servers again.
///
/// [`StopReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Supervisor {
    /// Its process ID.
    pub pid: u32,
    /// The name of its program.
    pub name: String,
    /// Its command line, arguments separated by spaces. May contain any characters.
    pub command: String,
    /// Its current directory, if it can be read.
    pub directory: Option<PathBuf>,
    /// The ports on which its servers have a socket again.
    pub ports: Vec<u16>,
}

impl StopReport {
    pub(crate) fn new(isolation_id: IsolationId) -> Self {
        let (processes, foreign, unknown, supervisors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { isolation_id, processes, foreign, unknown, supervisors, removed: false }
    }

    /// Whether nothing is left on the ports, or would be left after a dry run.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        let remains = |process: &StoppedProcess| process.outcome == Outcome::Remains;
        !self.has_foreign() && self.supervisors.is_empty() && !self.processes.iter().any(remains)
    }

    /// Whether something is left on the ports that is not, or may not be, the environment's.
    #[must_use]
    pub fn has_foreign(&self) -> bool {
        !self.foreign.is_empty() || !self.unknown.is_empty()
    }
}

impl Outcome {
    /// `would_end`, `ended`, `killed`, `gone` or `remains`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WouldEnd => "would_end",
            Self::Ended => "ended",
            Self::Killed => "killed",
            Self::Gone => "gone",
            Self::Remains => "remains",
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl StoppedProcess {
    pub(crate) fn new(person: &Person, ports: Vec<u16>, reason: OursReason, supervisor: bool) -> Self {
        let facts = &person.facts;
        let why = reason.to_string();
        let (name, command) = (facts.name.clone(), facts.command.clone());
        Self { pid: facts.pid, name, command, ports, reason, why, supervisor, outcome: Outcome::WouldEnd }
    }
}

impl ForeignProcess {
    pub(crate) fn new(person: &Person, ports: Vec<u16>, why: String) -> Self {
        let facts = &person.facts;
        let (name, command) = (facts.name.clone(), facts.command.clone());
        Self { pid: facts.pid, name, command, ports, directory: facts.directory.clone(), why }
    }
}

impl Supervisor {
    pub(crate) fn new(person: &Person, ports: Vec<u16>) -> Self {
        let facts = &person.facts;
        let (name, command) = (facts.name.clone(), facts.command.clone());
        Self { pid: facts.pid, name, command, directory: facts.directory.clone(), ports }
    }
}

/// "PID 7 (node) in /home/me/project".
fn named(f: &mut fmt::Formatter<'_>, pid: u32, name: &str, directory: Option<&PathBuf>) -> fmt::Result {
    write!(f, "PID {pid} ({name})")?;
    match directory {
        Some(directory) => write!(f, " in {}", directory.display()),
        None => Ok(()),
    }
}

/// "port 8080", "ports 8080, 8081".
fn list(ports: &[u16]) -> String {
    let plural = if ports.len() == 1 { "port" } else { "ports" };
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    format!("{plural} {}", ports.join(", "))
}

impl fmt::Display for StoppedProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.outcome {
            Outcome::WouldEnd => "would end",
            Outcome::Ended => "ended",
            Outcome::Killed => "killed",
            Outcome::Gone => "had already left",
            Outcome::Remains => "cannot be ended:",
        };
        write!(f, "{what} PID {} ({}) on {}", self.pid, self.name, list(&self.ports))?;
        if self.supervisor { f.write_str(", which started the server there again") } else { Ok(()) }
    }
}

impl fmt::Display for ForeignProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(f, self.pid, &self.name, self.directory.as_ref())?;
        write!(f, " is on {}: {}", list(&self.ports), self.why)
    }
}

impl fmt::Display for UnknownHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a process that cannot be inspected is on port {}: {}", self.port, self.why)
    }
}

impl fmt::Display for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        named(f, self.pid, &self.name, self.directory.as_ref())?;
        write!(f, " has started a server on {} again", list(&self.ports))
    }
}
