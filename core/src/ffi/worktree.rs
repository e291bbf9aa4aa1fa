//! A worktree's servers as callers in other languages ask for them: options as plain values, and calls that a caller can
//! end early.

use std::time::Duration;

use crate::environment::Environment;
use crate::error::Result;
use crate::readiness::Readiness;
use crate::refusals;
use crate::worktree::{StopOptions, StopReport};

/// When a server counts as ready, as keyword arguments say it: nothing given means once it accepts a connection.
///
/// ```
/// use portalloc::Readiness;
/// use portalloc::ffi::ReadinessOptions;
///
/// let options = ReadinessOptions { http: Some("/health".to_owned()), status: Some(204) };
/// assert_eq!(options.readiness()?, Readiness::http("/health").status(204));
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadinessOptions {
    /// The path of a URL to ask for.
    pub http: Option<String>,
    /// The only status that counts.
    pub status: Option<i64>,
}

impl ReadinessOptions {
    /// The readiness.
    ///
    /// # Errors
    /// `invalid_argument` for a path that cannot be asked for, or a status that cannot come.
    pub fn readiness(self) -> Result<Readiness> {
        let readiness = self.http.map_or_else(Readiness::open, Readiness::http);
        let readiness = match self.status {
            Some(status) => readiness.status(u16::try_from(status).map_err(|_| refusals::no_status(status))?),
            None => readiness,
        };
        readiness.check()?;
        Ok(readiness)
    }
}

/// How to end servers, as keyword arguments say it.
///
/// ```
/// use portalloc::ffi::EndOptions;
/// use portalloc::worktree::StopOptions;
///
/// let options = EndOptions { dry_run: true, ..EndOptions::default() };
/// assert_eq!(options.stop_options(), StopOptions::new().dry_run(true));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndOptions {
    /// Only servers on these ports; by default on all of the environment's. `down` has no such choice.
    pub ports: Option<Vec<u16>>,
    /// Whether only to report.
    pub dry_run: bool,
    /// How long a process may take to end before it is killed; by default ten seconds.
    pub timeout: Option<Duration>,
}

impl EndOptions {
    /// The options.
    pub fn stop_options(self) -> StopOptions {
        let options = StopOptions::new().dry_run(self.dry_run);
        let options = self.ports.into_iter().fold(options, StopOptions::ports);
        self.timeout.into_iter().fold(options, StopOptions::timeout)
    }
}

/// As [`Environment::wait_until_ours`], until `is_cancelled`, which the waiting thread calls at least four times a second.
///
/// # Errors
/// As [`Environment::wait_until_ours`]; `timeout` once `is_cancelled` returns true.
pub fn wait_until_ours(
    environment: &Environment,
    ports: &[u16],
    readiness: &Readiness,
    limit: Duration,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<()> {
    environment.wait_until_ours_unless(ports, readiness, limit, is_cancelled)
}

/// As [`Environment::stop`], until `is_cancelled` ends the wait for processes that were asked to end. These are not killed
/// then.
///
/// # Errors
/// As [`Environment::stop`]; `timeout` once `is_cancelled` returns true, with the processes that have not ended.
pub fn stop(environment: &Environment, options: &StopOptions, is_cancelled: &dyn Fn() -> bool) -> Result<StopReport> {
    environment.stop_unless(options, is_cancelled)
}

/// As [`Environment::down`], until `is_cancelled` ends the wait for processes that were asked to end. These are not killed
/// then, and the environment stays.
///
/// # Errors
/// As [`Environment::down`]; `timeout` once `is_cancelled` returns true, with the processes that have not ended.
pub fn down(environment: &Environment, options: &StopOptions, is_cancelled: &dyn Fn() -> bool) -> Result<StopReport> {
    environment.down_unless(options, is_cancelled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_asked() {
        let refused = |http: Option<&str>, status| {
            let options = ReadinessOptions { http: http.map(ToOwned::to_owned), status };
            options.readiness().unwrap_err().code()
        };
        for status in [i64::MIN, -1, 0, 199, 600, 65_736, i64::MAX] {
            assert_eq!(refused(None, Some(status)), ErrorCode::InvalidArgument, "{status}");
        }
        assert_eq!(refused(Some("health"), None), ErrorCode::InvalidArgument);
        assert_eq!(ReadinessOptions::default().readiness().unwrap(), Readiness::open());
        let options = ReadinessOptions { http: None, status: Some(404) };
        assert_eq!(options.readiness().unwrap(), Readiness::http("/").status(404));
    }

    #[test]
    fn every_option_arrives() {
        let options = EndOptions { ports: Some(vec![7]), dry_run: true, timeout: Some(Duration::from_secs(3)) };
        let expected = StopOptions::new().ports([7]).dry_run(true).timeout(Duration::from_secs(3));
        assert_eq!(options.stop_options(), expected);
        assert_eq!(EndOptions::default().stop_options(), StopOptions::new());
    }
}
