//! Exit statuses, and how errors map to them. The help documents the numbers; once released they never change.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;

use portalloc::ErrorCode;

use crate::output;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// The command succeeded.
    Success,
    /// It failed (registry, files, permissions, system), or it was to look for problems and found some.
    Failure,
    /// Wrong arguments.
    Usage,
    /// No ports were available (the pool is exhausted, or a port is in use), or a wait timed out.
    Exhausted,
    /// No such environment, or no such process.
    NotFound,
    /// The environment is somebody else's: another process holds it, or it belongs to another user.
    NotOurs,
    /// A lease was lost, so that others may have its ports.
    LeaseLost,
    /// The exit status of the command of `run`.
    Command(u8),
}

/// The help on exit statuses.
pub(crate) const HELP: &str = "\
Exit status:
  0  success
  1  failure (registry, files, permissions), or `validate` or `doctor`
     found a problem
  2  wrong arguments
  3  no ports available (pool exhausted, port in use), or a deadline passed
  4  no such environment, or no such process
  5  somebody else's: another process holds the environment, or it belongs to
     another user
  6  a lease was lost: others may have its ports
`run` and `exec` exit with the status of their command; `run` with 6 if the
command succeeded, but the lease was lost; with 126 or 127 if the command
cannot be executed";

impl Exit {
    /// The exit status as a number.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Exhausted => 3,
            Self::NotFound => 4,
            Self::NotOurs => 5,
            Self::LeaseLost => 6,
            Self::Command(status) => status,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

impl From<&portalloc::Error> for Exit {
    fn from(error: &portalloc::Error) -> Self {
        match error.code() {
            _ if error.is_lease_lost() => Self::LeaseLost,
            _ if error.other_user().is_some() => Self::NotOurs,
            ErrorCode::InvalidArgument | ErrorCode::InvalidId => Self::Usage,
            ErrorCode::PoolExhausted | ErrorCode::PortInUse | ErrorCode::Timeout => Self::Exhausted,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::InUse => Self::NotOurs,
            _ => Self::Failure,
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core returned an error.
    Core(portalloc::Error),
    /// Writing to standard output failed.
    Output(std::io::Error),
    /// Another operation failed: which, and the system's reason.
    System(&'static str, std::io::Error),
    /// The worktree has no environment yet.
    NoEnvironment(PathBuf),
    /// The arguments make no sense here: what is wrong, and what to do.
    Usage(String),
}

impl From<portalloc::Error> for Failure {
    fn from(error: portalloc::Error) -> Self {
        Self::Core(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    /// Tells the user in one line, and returns the exit status.
    pub(crate) fn report(self) -> Exit {
        match self {
            Self::Core(error) => {
                output::error(&format!("{}: {error}", error.code()));
                Exit::from(&error)
            }
            // The reader has seen enough, as in `portalloc list | head`.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Failure,
            Self::Output(error) => {
                output::error(&format!("{}: cannot write the result: {error}", ErrorCode::Io));
                Exit::Failure
            }
            Self::System(what, error) if error.kind() == ErrorKind::Unsupported => {
                output::error(&format!("{}: {what} on this platform", ErrorCode::Unsupported));
                Exit::Failure
            }
            Self::System(what, error) => {
                output::error(&format!(
                    "{}: {what}: {error}; fix the reported problem (see `ulimit -a`) and try again",
                    ErrorCode::Io
                ));
                Exit::Failure
            }
            Self::NoEnvironment(worktree) => {
                output::error(&format!(
                    "{}: the worktree {} has no environment yet; `portalloc env` makes it",
                    ErrorCode::NotFound,
                    worktree.display()
                ));
                Exit::NotFound
            }
            Self::Usage(message) => {
                output::error(&format!("{}: {message}", ErrorCode::InvalidArgument));
                Exit::Usage
            }
        }
    }
}
