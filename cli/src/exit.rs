//! Exit statuses, and how an error becomes one. The numbers are documented in the help and never change.

use std::process::ExitCode;

use portalloc::ErrorCode;

use crate::output;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Done.
    Success,
    /// Failed: registry, files, rights, system; or a validation found something.
    Failure,
    /// The arguments are wrong.
    Usage,
    /// No ports to be had: the pool is exhausted, or a port is in use. Or a wait timed out, for ports or for servers.
    Exhausted,
    /// There is no such environment or process.
    NotFound,
    /// The environment is held by a live process.
    InUse,
    /// What the command of `run` ended with.
    Command(u8),
}

/// The statuses as the help shows them.
pub(crate) const HELP: &str = "\
Exit status:
  0  done
  1  failed (registry, files, rights), or a validation found something
  2  the arguments are wrong
  3  no ports to be had (pool exhausted, port in use), or a wait timed out
  4  no such environment, or no such process
  5  the environment is held by a live process
That of `run` is the command's own";

impl Exit {
    /// The number.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Exhausted => 3,
            Self::NotFound => 4,
            Self::InUse => 5,
            Self::Command(status) => status,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}

impl From<ErrorCode> for Exit {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::InvalidArgument | ErrorCode::InvalidId => Self::Usage,
            ErrorCode::PoolExhausted | ErrorCode::PortInUse | ErrorCode::Timeout | ErrorCode::IdExhausted => {
                Self::Exhausted
            }
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::InUse => Self::InUse,
            _ => Self::Failure,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core said no.
    Core(portalloc::Error),
    /// Standard output could not be written to.
    Output(std::io::Error),
    /// The system refused something else than output: what became of it, and the system's reason.
    System(&'static str, std::io::Error),
    /// The call makes no sense here; what, and what to do.
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
    /// Tells the user, in one line, and gives the exit status.
    pub(crate) fn report(self) -> Exit {
        match self {
            Self::Core(error) => {
                output::error(&format!("{}: {error}", error.code()));
                error.code().into()
            }
            // Whoever reads has seen enough, as with `portalloc list | head`.
            Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Failure,
            Self::Output(error) => {
                output::error(&format!("io: cannot write the result: {error}"));
                Exit::Failure
            }
            Self::System(what, error) => {
                output::error(&format!(
                    "io: {what}: {error}; mend what the system reports (see `ulimit -a`) and try again"
                ));
                Exit::Failure
            }
            Self::Usage(message) => {
                output::error(&format!("invalid_argument: {message}"));
                Exit::Usage
            }
        }
    }
}
