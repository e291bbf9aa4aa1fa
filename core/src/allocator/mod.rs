//! The entry point of the library: an open registry with a pool.

mod handle;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::pool::{Cursor, Pool};
use crate::registry::Registry;
use handle::{Handle, Open};

/// An open registry with a pool, from which leases and environments are taken.
///
/// Open it once and keep it: opening reads the kernel's port ranges and checks the registry's directory. Threads may
/// share it, and it may be used after a fork. Each call works in the network namespace of the calling thread; the
/// registry and pool of a namespace are opened when a thread first makes a call in it. Clones share what is open.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let lease = allocator.lease(2)?;
/// assert!(!allocator.is_free(lease.base_port())?);
/// assert_eq!(allocator.list()?.leases.len(), 1);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone)]
pub struct Allocator {
    /// The registry that one call works in: see [`in_registry`](Self::in_registry).
    pub(crate) registry: Arc<Registry>,
    handle: Arc<Handle>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) cursor: Arc<Cursor>,
    pub(crate) cancelled: Cancelled,
}

/// Returns true once a wait is cancelled.
pub(crate) type Cancelled = Option<Arc<dyn Fn() -> bool + Send + Sync>>;

impl Allocator {
    pub(crate) fn with(directory: Option<PathBuf>, pool: Option<String>, exclude: Option<String>) -> Result<Self> {
        let handle = Handle::open(directory, pool, exclude)?;
        let Open { registry, pool, cursor } = handle.first();
        let (registry, pool, cursor) = (registry.clone(), pool.clone(), cursor.clone());
        Ok(Self { registry, handle: Arc::new(handle), pool, cursor, cancelled: None })
    }

    /// Returns a clone whose waits fail with `timeout` once `hook` returns true (signals, contexts, abort). The waiting
    /// thread calls the hook, at least four times a second.
    #[must_use]
    pub fn cancelled_by(&self, hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { cancelled: Some(Arc::new(hook)), ..self.clone() }
    }

    /// Runs `work` in the open registry. Runs it again in another one if the open registry has been replaced, or
    /// belongs to another network namespace than the calling thread's.
    pub(crate) fn in_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        self.handle.with(|Open { registry, pool, cursor }| {
            if Arc::ptr_eq(registry, &self.registry) {
                return work(self);
            }
            let (registry, pool, cursor) = (registry.clone(), pool.clone(), cursor.clone());
            work(&Self { registry, pool, cursor, ..self.clone() })
        })
    }

    /// As [`in_registry`](Self::in_registry), for work that would not notice a changed registry or namespace by itself.
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

    /// The pool as it was when this allocator was opened.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The registry's directory, as it was when this allocator was opened.
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
