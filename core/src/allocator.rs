//! The door to everything: an open registry with a pool.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Again, Result};
use crate::pool::{Cursor, Pool};
use crate::registry::{Handle, Registry};
use crate::sys;

/// An open registry with a pool, from which leases and environments are taken.
///
/// Open it once and keep it: opening reads the kernel's port ranges and checks the registry's folder. It may be
/// shared by threads and used after a fork. It stands for the network namespace of the thread that opened it; after
/// entering another one, open another (a lease is refused with `invalid_argument`, from Linux 5.14 on). Clones share one
/// registry.
#[derive(Clone)]
pub struct Allocator {
    /// The registry for the work of one call: see [`in_registry`](Self::in_registry).
    pub(crate) registry: Arc<Registry>,
    pub(crate) handle: Arc<Handle>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) cursor: Arc<Cursor>,
    pub(crate) cancelled: Cancelled,
    /// Opens another one where the calling thread has entered another network namespace; `None` makes that an error.
    pub(crate) reopen: Option<Arc<dyn Fn() -> Result<Self> + Send + Sync>>,
}

/// Says whether a wait is no longer wanted.
pub(crate) type Cancelled = Option<Arc<dyn Fn() -> bool + Send + Sync>>;

impl Allocator {
    pub(crate) fn with(directory: Option<PathBuf>, pool: Option<&str>, exclude: Option<&str>) -> Result<Self> {
        let pool = Pool::new(pool, exclude, &sys::kernel_ports())?;
        let handle = Handle::open(directory)?;
        Ok(Self {
            registry: handle.current(),
            handle: Arc::new(handle),
            pool: Arc::new(pool),
            cursor: Arc::default(),
            cancelled: None,
            reopen: None,
        })
    }

    /// The same, whose waits end early with `timeout` once `hook` says so: for signals, contexts and other ways to change
    /// one's mind. It is asked by the thread that waits, at least four times a second.
    #[must_use]
    pub fn cancelled_by(&self, hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { cancelled: Some(Arc::new(hook)), ..self.clone() }
    }

    /// The same, which `reopen` opens anew for a thread that has entered another network namespace.
    pub(crate) fn following(self, reopen: impl Fn() -> Result<Self> + Send + Sync + 'static) -> Self {
        Self { reopen: Some(Arc::new(reopen)), ..self }
    }

    /// Does `work`, in the registry that is open by now, and again in another one where that is no longer the one that
    /// others open, or where the calling thread has entered another network namespace.
    pub(crate) fn in_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        let done = self.handle.with(|registry| {
            if Arc::ptr_eq(registry, &self.registry) {
                work(self)
            } else {
                work(&Self { registry: registry.clone(), ..self.clone() })
            }
        });
        match (done, &self.reopen) {
            (Err(error), Some(reopen)) if error.again() == Some(Again::InNamespace) => {
                work(&Self { cancelled: self.cancelled.clone(), ..reopen()? })
            }
            (done, _) => done,
        }
    }

    /// As [`in_registry`](Self::in_registry), for work that does not begin with a look at the registry's files.
    pub(crate) fn in_checked_registry<T>(&self, work: impl Fn(&Self) -> Result<T>) -> Result<T> {
        self.in_registry(|allocator| {
            allocator.registry.check_place()?;
            work(allocator)
        })
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.as_ref().is_some_and(|hook| hook())
    }

    /// The pool in use.
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
