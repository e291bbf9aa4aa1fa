//! A hold on a kept environment: while a process has it, the environment is not removed. It is a shared lock of the
//! kernel, which a program inherits; it ends with the last process that has it, and portalloc never releases it before.

use std::io;
use std::process::Command;
use std::time::Duration;

use super::cleanup::used;
use super::spawn::not_started;
use super::{Environment, status};
use crate::backoff::Backoff;
use crate::error::{Error, ErrorCode, Result};
use crate::registry::{Lifetime, PortsFile, environment_byte};
use crate::sys::{self, CloseWatch, Inheritable};

/// How long to wait for a process that is removing the environment, and that may fail to.
const PATIENCE: Duration = Duration::from_secs(5);

/// A share in a kept environment, which keeps it from being removed by `cleanup` or `down`.
///
/// Dropping it gives up this process's share only; processes that inherited it keep theirs.
///
/// ```
/// use portalloc::EnvironmentRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().kept())?;
/// let hold = environment.hold()?;
/// assert!(environment.cleanup().is_err(), "it is in use");
/// drop(hold);
/// environment.cleanup()?;
/// # Ok::<(), portalloc::Error>(())
/// ```
#[must_use]
pub struct Hold {
    file: PortsFile,
    variables: Vec<(String, String)>,
}

impl Environment {
    /// Takes a hold on this kept environment.
    ///
    /// # Errors
    /// `not_found` if it has been removed, or is stale; `invalid_argument` if it is not kept: a program has its part in a
    /// held one by [`spawn`](Self::spawn); `in_use` if a process has been removing it for seconds; `registry_unusable`,
    /// `io`.
    pub fn hold(&self) -> Result<Hold> {
        if self.record.lifetime != Lifetime::Kept {
            return Err(Error::invalid_argument(
                format!("the environment {} is held by a process, and ends with it", self.id()),
                "take a hold on a kept environment, such as that of a worktree",
            ));
        }
        self.registry.reopening(|registry| {
            let file = registry.ports()?;
            let mut backoff = Backoff::steady(PATIENCE);
            let mut watch = None;
            while !file.try_share_byte(environment_byte(self.id()))? {
                let Some(pause) = backoff.next() else { return Err(used(registry, self.id())) };
                let watch = watch.get_or_insert_with(|| CloseWatch::new(registry.ports_path()));
                watch.wait(pause).map_err(|error| Error::os("cannot wait for a lock", error))?;
            }
            // It may have been removed before it was locked. From here on it cannot be.
            if !status::lives(registry, self.id())? {
                return Err(Error::new(
                    ErrorCode::NotFound,
                    format!("the environment {} has been removed, or is stale", self.id()),
                    "make another; see `portalloc list`",
                ));
            }
            Ok(Hold { file, variables: self.variables() })
        })
    }

    /// Executes `command` in place of this process, with this environment's variables and with a [`hold`](Self::hold) on
    /// it. Returns only if that fails. Nothing of this process is left then, such as other threads and destructors, so
    /// call it where nothing else is to be done.
    ///
    /// # Errors
    /// As [`hold`](Self::hold); `not_found` if there is no such program; `permission_denied` if it cannot be executed.
    pub fn exec(&self, command: Command) -> Error {
        match self.hold() {
            Ok(hold) => hold.exec(command),
            Err(error) => error,
        }
    }
}

impl Hold {
    /// Copies the descriptor that is the hold. A program that is started while the copy is open inherits it, as with
    /// [`Lease::inheritable`](crate::Lease::inheritable).
    ///
    /// # Errors
    /// `io` at the descriptor limit, or if this process has closed the descriptor.
    pub fn inheritable(&self) -> Result<Inheritable> {
        let copy = self.copy()?;
        sys::let_inherit(&copy).map_err(not_passed_on)?;
        Ok(copy)
    }

    /// Executes `command` in place of this process, with the environment's variables and with this hold: see
    /// [`Environment::exec`]. Returns only if that fails.
    ///
    /// # Errors
    /// `not_found` if there is no such program; `permission_denied` if it cannot be executed; `io`.
    pub fn exec(&self, mut command: Command) -> Error {
        let copy = match self.copy() {
            Ok(copy) => copy,
            Err(error) => return error,
        };
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let program = command.get_program().to_string_lossy().into_owned();
        not_started(&program, sys::replace_process(command, &copy))
    }

    fn copy(&self) -> Result<Inheritable> {
        if !self.file.is_ours() {
            return Err(not_passed_on(io::Error::other("this process has closed the descriptor that is the hold")));
        }
        self.file.copy().map_err(not_passed_on)
    }
}

fn not_passed_on(error: io::Error) -> Error {
    Error::os("cannot pass on the hold on an environment", error)
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold").finish_non_exhaustive()
    }
}
