//! Environments: an isolation ID, a lease, a temp dir, an env file and variables, made and removed as one.
//!
//! The order that survives a crash at any point: ports labelled under their lock, then an unfinished record, then temp dir
//! and env file, then the record's own name; removed in the opposite order. So whatever exists has a record that names it, and a record whose ports
//! nobody holds or keeps is stale.

mod attach;
pub mod cleanup;
mod create;
mod env_file;
mod list;
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

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

pub use crate::variables::{Syntax, render};
pub use list::{EnvironmentInfo, LeaseInfo, Listing};
pub use request::{EnvFile, EnvironmentRequest};
pub use spawn::SpawnOptions;
pub use status::{StaleReason, Status};
pub use summary::{EnvironmentSummary, LeaseSummary, ListingSummary};
pub use validate::{Check, PortCheck, Validation};

use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::lease::Lease;
use crate::process::Maker;
use crate::registry::{Record, Registry};
use cleanup::Selection;

/// An environment that this process made or attached to.
///
/// A *held* one lives as long as this value: dropping it releases the ports and removes temp dir, env file and
/// record, unless it is a forked child's copy. A *kept* one outlives it. Any thread may use it; a cleanup by one thread makes
/// the others wait for its end.
#[must_use]
pub struct Environment {
    registry: Arc<Registry>,
    record: Record,
    /// Of a held one until it is cleaned up, of a kept one while it is being made.
    lease: Mutex<Option<Arc<Lease>>>,
    /// The process that made it; none for one that was found.
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

    /// Its temp dir: mode 0700, empty when it was made.
    #[must_use]
    pub fn temp_dir(&self) -> &Path {
        &self.record.temp_dir
    }

    /// Its env file, if it has one. Beside `.env.isolation` if that was taken: then it is `.env.isolation.<id>`.
    #[must_use]
    pub fn env_file(&self) -> Option<&Path> {
        self.record.env_file.as_deref()
    }

    /// Its variables, names and values.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        self.record.variables()
    }

    /// All that the registry knows of it.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The lease of a held environment, in the process that made it, until the environment is cleaned up. What is returned
    /// does not keep the ports: the cleanup releases them whoever still has it.
    #[must_use]
    pub fn lease(&self) -> Option<Arc<Lease>> {
        self.in_reach().and_then(|lease| lease.clone())
    }

    /// As [`lease`](Self::lease), for what only the maker of a held environment can do.
    ///
    /// # Errors
    /// `invalid_argument` if there is none.
    pub fn held_lease(&self) -> Result<Arc<Lease>> {
        self.lease().filter(|lease| lease.is_ours()).ok_or_else(|| {
            Error::invalid_argument(
                format!("the environment {} is not held by this process", self.id()),
                "do it in the process that holds it, before the cleanup",
            )
        })
    }

    /// What is behind the lock. A forked child does not wait for it: a thread that the child does not have may have locked it.
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

    /// Whether it was found, rather than made, so that dropping it ends nothing.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.maker.is_none()
    }

    /// Whether this process made it: false in a forked child, and for one that was found.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.maker.is_some_and(Maker::is_this_process)
    }

    /// Removes its temp dir, env file and record, and gives the ports back. Again does nothing.
    ///
    /// One whose lease was passed on ([`Lease::inheritable`]) is removed only if no other process has it any more;
    /// else it lives on until the last one is gone, and is then for `cleanup --stale`.
    ///
    /// # Errors
    /// `permission_denied`, `io`, `registry_unusable`: then the record stays, and the cleanup can be repeated.
    /// `in_use` if the environment is held by another process, such as the parent of a forked child.
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

    /// The end of a held environment in the process that made it. The lease goes last, unless others have it too, or it is
    /// lost: then whoever can still lock the ports is the last one, which only the kernel knows.
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

    fn remove(&self) -> Result<()> {
        self.registry.reopening(|registry| {
            registry.check_place()?;
            cleanup::remove(registry, self.id(), &Selection::Id(self.id()), None).map(|_| ())
        })
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        let lease = self.lease.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(lease) = lease.filter(|lease| lease.is_ours()) {
            // What cannot be removed now keeps its record, for `cleanup --stale`.
            let _ = self.end(&lease);
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("id", &self.id()).field("ports", &self.ports()).finish_non_exhaustive()
    }
}
