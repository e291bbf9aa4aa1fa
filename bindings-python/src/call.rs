//! How a call gets to the core: with the allocator for its settings, behind a border that no panic gets past, and, if it
//! may wait, without keeping other threads of Python from running. And how it comes back: `finished` gives out the core's
//! warnings and raises its error.

use std::sync::{Arc, Mutex, PoisonError};

use portalloc::ffi::{Allocators, no_panic};
use portalloc::{Allocator, Result, Settings};
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors::raised;
use crate::warnings;

/// What stays open between calls, for all threads and for forked children.
static ALLOCATORS: Allocators = Allocators::new();

/// A call that takes microseconds. Python's threads stand still meanwhile, which costs less than letting them go, and
/// means that none can fork in the middle of it.
pub(crate) fn short<T>(py: Python<'_>, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> PyResult<T> {
    finished(py, no_panic(|| ALLOCATORS.with(settings, work)))
}

/// A call that may take longer.
pub(crate) fn long<T: Send>(
    py: Python<'_>,
    settings: &Settings,
    work: impl FnOnce(&Allocator) -> Result<T> + Send,
) -> PyResult<T> {
    finished(py, py.detach(|| no_panic(|| ALLOCATORS.with(settings, work))))
}

/// A call that may wait, which a signal's handler can end: Ctrl-C by `KeyboardInterrupt`.
pub(crate) fn waiting<T: Send>(py: Python<'_>, work: impl FnOnce(&Interrupt) -> Result<T> + Send) -> PyResult<T> {
    waiting_or_undone(py, work, drop)
}

/// As `waiting`, for what does not end by being dropped: `undo` ends it if the call is to fail all the same.
pub(crate) fn waiting_or_undone<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Interrupt) -> Result<T> + Send,
    undo: impl FnOnce(T),
) -> PyResult<T> {
    let interrupt = Interrupt::default();
    let done = py.detach(|| no_panic(|| work(&interrupt)));
    let raised_meanwhile = interrupt.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    match raised_meanwhile {
        Some(exception) => {
            // It was taken all the same.
            let _ = done.map(undo);
            Err(exception)
        }
        None => finished_or_undone(py, done, undo),
    }
}

/// What came of a call of the core. Every call comes back this way.
pub(crate) fn finished<T>(py: Python<'_>, done: Result<T>) -> PyResult<T> {
    finished_or_undone(py, done, drop)
}

/// As `finished`, for what does not end by being dropped: `undo` ends it if Python was told to raise warnings and there is
/// one, because then the caller does not get it.
pub(crate) fn finished_or_undone<T>(py: Python<'_>, done: Result<T>, undo: impl FnOnce(T)) -> PyResult<T> {
    match (done, warnings::give_out(py)) {
        (Ok(value), Ok(())) => Ok(value),
        (Ok(value), Err(warning)) => {
            undo(value);
            Err(warning)
        }
        (Err(error), Ok(())) => Err(raised(py, error)),
        (Err(error), Err(warning)) => {
            let error = raised(py, error);
            // As of an exception that is raised while another one is handled: both are shown.
            error.value(py).setattr(intern!(py, "__context__"), warning.value(py))?;
            Err(error)
        }
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
