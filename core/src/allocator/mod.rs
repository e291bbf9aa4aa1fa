//! The door to everything: an open registry with a pool.

mod handle;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::pool::{Cursor, Pool};
use crate::registry::Registry;
use handle::{Handle, Open};

/// An open registry with a pool, from which leases and environments are taken.
///
/// Open it once and keep it: opening reads the kernel's port ranges and checks the registry's folder. It may be
/// shared by threads and used after a fork. Each call is in the network namespace of the calling thread, whose registry and pool
/// are opened when a thread first enters one. Clones share what is open.
#[derive(Clone)]
pub struct Allocator {
    /// The registry for the work of one call: see [`in_registry`](Self::in_registry).
    pub(crate) registry: Arc<Registry>,
    handle: Arc<Handle>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) cursor: Arc<Cursor>,
    pub(crate) cancelled: Cancelled,
}

/// Says whether a wait is no longer wanted.
pub(crate) type Cancelled = Option<Arc<dyn Fn() -> bool + Send + Sync>>;

impl Allocator {
    pub(crate) fn with(directory: Option<PathBuf>, pool: Option<String>, exclude: Option<String>) -> Result<Self> {
        let handle = Handle::open(directory, pool, exclude)?;
        let Open { registry, pool, cursor } = handle.first();
        let (registry, pool, cursor) = (registry.clone(), pool.clone(), cursor.clone());
        Ok(Self { registry, handle: Arc::new(handle), pool, cursor, cancelled: None })
    }

    /// The same, whose waits end early with `timeout` once `hook` says so: for signals, contexts and other ways to change
    /// one's mind. It is asked by the thread that waits, at least four times a second.
    #[must_use]
    pub fn cancelled_by(&self, hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { cancelled: Some(Arc::new(hook)), ..self.clone() }
    }

    /// Does `work` in the registry that is open by now, and again in another one where that is no longer the one that others
    /// open, or not that of the network namespace that the calling thread is in.
    pub(crate) fn in_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        self.handle.with(|Open { registry, pool, cursor }| {
            if Arc::ptr_eq(registry, &self.registry) {
                return work(self);
            }
            let (registry, pool, cursor) = (registry.clone(), pool.clone(), cursor.clone());
            work(&Self { registry, pool, cursor, ..self.clone() })
        })
    }

    /// As [`in_registry`](Self::in_registry), for work that neither begins with a look at the registry's files nor probes.
    pub(crate) fn in_checked_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        self.in_registry(|allocator| {
            allocator.registry.check_netns()?;
            allocator.registry.check_place()?;
            work(allocator)
        })
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|hook| hook())
    }

    /// The pool in use, as it was when this allocator was opened.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The registry's folder, as it was when this allocator was opened.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.registry.root()
    }
}

impl std::fmt::Debug for Allocator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allocator").field("directory", &self.directory()).field("pool", &self.pool.asked()).finish()
    }
}
