//! Environments: an isolation ID, a lease, a temp directory, an env file and variables, created and removed together.
//!
//! The order survives a crash at any point: label the ports under their lock, then create an unfinished record, then
//! temp directory and env file, then rename the record to its final name; removal runs in the opposite order. So
//! everything that exists is named by a record, and a record whose ports are neither held nor kept is stale.

mod attach;
mod block;
pub mod cleanup;
mod create;
mod env_file;
mod hold;
mod list;
mod listed_blocks;
mod names;
mod ports;
mod reconcile;
mod removal;
mod request;
mod spawn;
mod status;
mod summary;
mod temp_dir;
mod traces;
mod validate;
mod worktree;
mod write_block;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

#[cfg(fuzzing)]
pub use block::fuzzing::{with_block, without_block, without_blocks};

pub use crate::variables::{Syntax, render};
pub use hold::Hold;
pub use list::{EnvironmentInfo, LeaseInfo, Listing};
pub use request::{EnvFile, EnvironmentRequest};
pub use spawn::SpawnOptions;
pub use status::{StaleReason, Status};
pub use summary::{EnvironmentSummary, LeaseSummary, ListingSummary};
pub use validate::{Check, PortCheck, Validation};

use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::lease::Lease;
use crate::process::{Maker, warn_once};
use crate::registry::{Record, Registry};
pub(crate) use attach::{attach_in, named};
use cleanup::{Locked, Selection};

/// The directory in which environments get their temp directories.
pub(crate) fn temp_base() -> Result<PathBuf> {
    temp_dir::base()
}

/// An environment that this process created or attached to.
///
/// A *held* environment lives as long as this value: dropping it releases the ports and removes temp directory, env
/// file and record, except in a forked child. A *kept* one outlives it. Any thread may use it; while one thread cleans
/// it up, the others wait.
///
/// ```
/// use portalloc::EnvironmentRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().names(["web", "db"]))?;
/// assert_eq!(environment.ports().len(), 2);
/// assert!(environment.temp_dir().is_dir());
/// environment.cleanup()?;
/// assert!(!environment.temp_dir().exists());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[must_use]
pub struct Environment {
    registry: Arc<Registry>,
    record: Record,
    /// Set in a held environment until its cleanup, and in a kept one while it is being created.
    lease: Mutex<Option<Arc<Lease>>>,
    /// The process that created it; `None` if this process attached to it.
    maker: Option<Maker>,
}

impl Environment {
    /// Its ID.
    #[must_use]
    pub fn id(&self) -> IsolationId {
        self.record.isolation_id
    }

    /// Its ports, in the order of the names.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.record.ports.ports
    }

    /// Its temp directory: mode 0700, empty when it was created.
    #[must_use]
    pub fn temp_dir(&self) -> &Path {
        &self.record.temp_dir
    }

    /// Its env file, if it has one. If `.env.isolation` existed, it is `.env.isolation.<id>` beside that.
    #[must_use]
    pub fn env_file(&self) -> Option<&Path> {
        self.record.env_file.as_deref()
    }

    /// If `.env.isolation` existed, so that its env file has another name: what that file is, as a phrase.
    #[must_use]
    pub fn env_file_in_the_way(&self) -> Option<String> {
        env_file::in_the_way(&self.registry, &self.record)
    }

    /// Its variables, as pairs of name and value.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        self.record.variables()
    }

    pub(crate) fn with_env(mut self, env: BTreeMap<String, String>) -> Self {
        self.record.env = env;
        self
    }

    /// Everything that the registry knows about it.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The lease of a held environment, in the process that created it, until the environment is cleaned up. Keeping
    /// the result does not keep the ports: the cleanup releases them anyway.
    #[must_use]
    pub fn lease(&self) -> Option<Arc<Lease>> {
        self.in_reach().and_then(|lease| lease.clone())
    }

    /// As [`lease`](Self::lease), for calls that only the creator of a held environment can make.
    ///
    /// # Errors
    /// `invalid_argument` if there is no such lease.
    pub fn held_lease(&self) -> Result<Arc<Lease>> {
        self.lease().filter(|lease| lease.is_ours()).ok_or_else(|| {
            Error::invalid_argument(
                format!("the environment {} is not held by this process", self.id()),
                "make this call in the process that holds it, before the cleanup",
            )
        })
    }

    /// The registry that it is in.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The lease behind the mutex. A forked child does not wait for the mutex, because the thread that locked it may
    /// exist only in the parent.
    fn in_reach(&self) -> Option<MutexGuard<'_, Option<Arc<Lease>>>> {
        if self.is_ours() {
            return Some(self.lease.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match self.lease.try_lock() {
            Ok(lease) => Some(lease),
            Err(TryLockError::Poisoned(lease)) => Some(lease.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Whether this process attached to it instead of creating it, so that dropping this value does not end it.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.maker.is_none()
    }

    /// Whether this process created it; false in a forked child, and after attaching.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.maker.is_some_and(Maker::is_this_process)
    }

    /// Removes its temp directory, env file and record, and releases the ports. Does nothing if that has been done.
    ///
    /// An environment whose lease other processes inherited ([`Lease::inheritable`]) is removed only if none of them
    /// still holds it. Otherwise it lives on until the last of them ends, and `cleanup --stale` removes it then.
    ///
    /// # Errors
    /// `permission_denied`, `io`, `registry_unusable`: the record stays, and you can repeat the cleanup. `in_use` if
    /// another process, such as the parent of a forked child, holds the environment.
    pub fn cleanup(&self) -> Result<()> {
        if !self.is_ours() {
            return self.remove();
        }
        // Held until the end, so that a second thread finds the environment gone.
        let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        match lease.take() {
            Some(lease) => self.end(&lease),
            None => self.remove(),
        }
    }

    /// Ends a held environment in the process that created it. The lease is released last, unless other processes have
    /// inherited it, or it is lost: then only a process that can still lock the ports is the last one, which only the
    /// kernel knows.
    fn end(&self, lease: &Lease) -> Result<()> {
        if lease.is_passed_on() || !lease.is_held() {
            lease.release();
            return match self.remove() {
                Err(error) if error.code() == ErrorCode::InUse => Ok(()),
                other => other,
            };
        }
        let removed = self.registry.reopening(|registry| {
            if !registry.is_ours() {
                return Err(registry.gone("is gone"));
            }
            traces::remove(registry, &self.record).into_result().map(|_| ())
        });
        lease.release();
        removed
    }

    /// Whether its temp directory exists. Those in `/tmp` may be removed once they are old.
    pub(crate) fn has_temp_dir(&self) -> Result<bool> {
        temp_dir::exists(self.temp_dir())
    }

    /// Makes its temp directory if it does not exist. Nobody may be removing the environment meanwhile.
    pub(crate) fn make_temp_dir_again(&self, registry: &Registry) -> Result<()> {
        temp_dir::create(self.temp_dir(), registry).map(|_| ())
    }

    fn remove(&self) -> Result<()> {
        let removed = self.registry.reopening(|registry| {
            registry.check_place()?;
            cleanup::remove(registry, self.id(), &Selection::Id(self.id()), None, Locked::default())
        })?;
        for left in removed.iter().flat_map(|removed| &removed.traces.left) {
            let path = left.path.display().to_string();
            let text = format!("the environment {} was removed, but {path} is left: it {}", self.id(), left.why);
            warn_once("left", &path, text);
        }
        Ok(())
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        let lease = self.lease.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lease) = lease.filter(|lease| lease.is_ours()) {
            // If it cannot be removed now, its record stays for `cleanup --stale`.
            let _ = self.end(&lease);
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("id", &self.id()).field("ports", &self.ports()).finish_non_exhaustive()
    }
}
