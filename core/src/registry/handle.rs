//! A registry that is opened anew, within the call that notices it, when its files are no longer those that others open:
//! a setup has changed its place, somebody has removed it, or the program has closed its descriptors.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Registry, TRIES};
use crate::error::{Again, Result};
use crate::sys::PerProcess;

/// The registry that is open by now. In a forked child it is its parent's, until it turns out to be of no use there.
pub(crate) struct Handle {
    first: Arc<Registry>,
    now: PerProcess<Mutex<Arc<Registry>>>,
}

impl Handle {
    pub(crate) fn open(named: Option<PathBuf>) -> Result<Self> {
        Ok(Self { first: Arc::new(Registry::open(named)?), now: PerProcess::new() })
    }

    pub(crate) fn current(&self) -> Arc<Registry> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Registry>> {
        let Ok(now) = self.now.get_or_try_make(|| Ok::<_, Infallible>(Mutex::new(self.first.clone())));
        now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with the registry, and again with the one that was opened in its place, as long as that is called for.
    pub(crate) fn with<T>(&self, mut work: impl FnMut(&Arc<Registry>) -> Result<T>) -> Result<T> {
        let mut registry = self.current();
        let mut tries = 1..=TRIES;
        loop {
            match work(&registry) {
                Err(error) if error.again() == Some(Again::InRegistry) && tries.next().is_some() => {
                    registry = self.replace(&registry)?;
                }
                done => return done,
            }
        }
    }

    /// The registry that takes the place of one that is of no use any more; another thread may have opened it already.
    fn replace(&self, old: &Arc<Registry>) -> Result<Arc<Registry>> {
        let mut now = self.lock();
        if Arc::ptr_eq(&now, old) {
            *now = Arc::new(old.reopen()?);
        }
        Ok(now.clone())
    }
}
