//! How a call gets to the core: with the allocator for its settings, behind a border that no panic gets past, and, if it
//! may wait, without keeping other threads of Python from running.

use std::sync::{Arc, Mutex, PoisonError};

use portalloc::{Allocator, Allocators, Result, Settings, no_panic};
use pyo3::prelude::*;

use crate::errors::raised;

/// What stays open between calls, for all threads and for forked children.
static ALLOCATORS: Allocators = Allocators::new();

/// The settings of a call that names them.
pub(crate) fn settings(pool: Option<String>, exclude: Option<String>) -> Settings {
    let mut settings = Settings::new();
    if let Some(pool) = pool {
        settings = settings.pool(pool);
    }
    if let Some(exclude) = exclude {
        settings = settings.exclude(exclude);
    }
    settings
}

/// A call that takes microseconds. Python's threads stand still meanwhile, which costs less than letting them go, and
/// means that none can fork in the middle of it.
pub(crate) fn short<T>(py: Python<'_>, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> PyResult<T> {
    no_panic(|| ALLOCATORS.with(settings, work)).map_err(|error| raised(py, error))
}

/// A call that may take longer.
pub(crate) fn long<T: Send>(
    py: Python<'_>,
    settings: &Settings,
    work: impl FnOnce(&Allocator) -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| no_panic(|| ALLOCATORS.with(settings, work))).map_err(|error| raised(py, error))
}

/// A call that may wait, which a signal's handler can end: Ctrl-C by `KeyboardInterrupt`.
pub(crate) fn waiting<T: Send>(py: Python<'_>, work: impl FnOnce(&Interrupt) -> Result<T> + Send) -> PyResult<T> {
    let interrupt = Interrupt::default();
    let done = py.detach(|| no_panic(|| work(&interrupt)));
    let raised_meanwhile = interrupt.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match raised_meanwhile {
        // What was taken all the same is given back by being dropped here.
        Some(exception) => Err(exception),
        None => done.map_err(|error| raised(py, error)),
    }
}

/// The exception that a signal's handler raised during a wait.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<Mutex<Option<PyErr>>>);

impl Interrupt {
    /// Does `work` with an allocator for `settings` whose waits end once a handler raises.
    pub(crate) fn with<T>(&self, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> Result<T> {
        ALLOCATORS.with(settings, |allocator| work(&self.watch(allocator)))
    }

    /// The allocator, with waits that end once a handler raises.
    pub(crate) fn watch(&self, allocator: &Allocator) -> Allocator {
        let interrupt = self.clone();
        allocator.cancelled_by(move || interrupt.happened())
    }

    fn happened(&self) -> bool {
        // An interpreter that is ending runs no handlers any more, and nobody is left to wait for.
        let checked = Python::try_attach(|py| py.check_signals());
        match checked {
            Some(Ok(())) => false,
            Some(Err(exception)) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(exception);
                true
            }
            None => true,
        }
    }
}
