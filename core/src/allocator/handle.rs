//! The open registries of an allocator: one, with its pool, for each network namespace of its threads, since the
//! kernel's port ranges differ between them. A call that finds its registry unusable opens it again and retries.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use log::debug;

use crate::error::Result;
use crate::pool::{Cursor, Pool};
use crate::process::warn_once;
use crate::registry::{Namespace, Registry, TRIES};
use crate::sys::{self, PerProcess};

/// How many network namespaces the threads of one process are likely to be in.
const MAX_OPEN: usize = 8;

/// The registry of one network namespace, with its pool.
pub(super) struct Open {
    pub(super) registry: Arc<Registry>,
    pub(super) pool: Arc<Pool>,
    pub(super) cursor: Arc<Cursor>,
}

/// How to open registries, and those that are open, the most recently used last. A forked child starts with those of
/// its parent, and replaces each one that turns out to be unusable in the child.
pub(crate) struct Handle {
    directory: Option<PathBuf>,
    pool: Option<String>,
    exclude: Option<String>,
    first: Arc<Open>,
    now: PerProcess<Mutex<Vec<Arc<Open>>>>,
}

impl Handle {
    pub(super) fn open(directory: Option<PathBuf>, pool: Option<String>, exclude: Option<String>) -> Result<Self> {
        let first = open(directory.clone(), pool.as_deref(), exclude.as_deref(), Namespace::current()?)?;
        Ok(Self { directory, pool, exclude, first, now: PerProcess::new() })
    }

    pub(super) fn first(&self) -> &Open {
        &self.first
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Open>>> {
        let Ok(now) = self.now.get_or_try_make(|| Ok::<_, Infallible>(Mutex::new(vec![self.first.clone()])));
        now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with the most recently used registry, and again with the right one if that is not what the calling
    /// thread needs.
    pub(super) fn with<T>(&self, mut work: impl FnMut(&Open) -> Result<T>) -> Result<T> {
        let mut open = self.lock().last().unwrap_or(&self.first).clone();
        let mut tries = 1..=TRIES;
        loop {
            match work(&open) {
                Err(error) if error.is_outdated() && tries.next().is_some() => open = self.replace(&open)?,
                done => return done,
            }
        }
    }

    /// Returns what the calling thread needs in place of `old`, which another thread may have opened already.
    fn replace(&self, old: &Arc<Open>) -> Result<Arc<Open>> {
        let namespace = Namespace::current()?;
        if old.registry.namespace().is(namespace) && !old.registry.is_outdated()? {
            return Ok(old.clone());
        }
        let mut now = self.lock();
        let found = now.iter().position(|open| open.registry.namespace().is(namespace)).map(|index| now.remove(index));
        let open = match found {
            Some(open) if !Arc::ptr_eq(&open, old) => open,
            _ => open(self.directory.clone(), self.pool.as_deref(), self.exclude.as_deref(), namespace)?,
        };
        if now.len() == MAX_OPEN {
            now.remove(0);
        }
        now.push(open.clone());
        Ok(open)
    }
}

/// Opens the registry for the network namespace of the calling thread.
fn open(
    directory: Option<PathBuf>,
    pool: Option<&str>,
    exclude: Option<&str>,
    namespace: Namespace,
) -> Result<Arc<Open>> {
    let pool = Pool::new(pool, exclude, &sys::kernel_ports())?;
    let registry = Registry::open_for(directory, namespace)?;
    debug!("the registry is {}", registry.ports_path().display());
    debug!("the pool {} has the ports {}", pool.asked(), pool.ports());
    for warning in pool.warnings() {
        warn_once("pool", warning, warning);
    }
    Ok(Arc::new(Open { registry: Arc::new(registry), pool: Arc::new(pool), cursor: Arc::default() }))
}
