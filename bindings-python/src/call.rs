//! Calls into the core: with the allocator for the settings, behind a barrier that no panic gets past, and without the GIL if
//! the call may wait. `finished` passes the core's warnings on and raises its error.

use std::sync::{Arc, Mutex, PoisonError};

use portalloc::ffi::{Allocators, no_panic};
use portalloc::{Allocator, Result, Settings};
use pyo3::intern;
use pyo3::prelude::*;

use crate::errors::raised;
use crate::warnings;

/// What stays open between calls, for all threads and for forked children.
static ALLOCATORS: Allocators = Allocators::new();

/// A call that takes microseconds. It keeps the GIL, which costs less than to release it, and means that no other thread of
/// Python can fork in the middle of it.
pub(crate) fn short<T>(py: Python<'_>, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> PyResult<T> {
    finished(py, no_panic(|| ALLOCATORS.with(settings, work)))
}

/// A call that may take longer, without the GIL.
pub(crate) fn long<T: Send>(
    py: Python<'_>,
    settings: &Settings,
    work: impl FnOnce(&Allocator) -> Result<T> + Send,
) -> PyResult<T> {
    finished(py, py.detach(|| no_panic(|| ALLOCATORS.with(settings, work))))
}

/// A call that may wait. The handler of a signal can end it: Ctrl-C does, with `KeyboardInterrupt`.
pub(crate) fn waiting<T: Send>(py: Python<'_>, work: impl FnOnce(&Interrupt) -> Result<T> + Send) -> PyResult<T> {
    waiting_or_undone(py, work, drop)
}

/// Like `waiting`, for a result whose drop does not end it: `undo` ends it if the call must fail after all.
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
            let _ = done.map(undo);
            Err(exception)
        }
        None => finished_or_undone(py, done, undo),
    }
}

/// The result of a call of the core. Every call returns through here.
pub(crate) fn finished<T>(py: Python<'_>, done: Result<T>) -> PyResult<T> {
    finished_or_undone(py, done, drop)
}

/// Like `finished`, for a result whose drop does not end it: `undo` ends it if Python was told to raise warnings and there is
/// one, because then the caller does not get the result.
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
            // Python then shows both, as if one was raised while the other was handled.
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

    /// Whether a handler has raised by now; runs those that are due.
    pub(crate) fn happened(&self) -> bool {
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
