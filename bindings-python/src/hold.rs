//! A hold on a kept environment, for this process and for child processes that inherit it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use portalloc::ffi;
use pyo3::prelude::*;

use crate::call;
use crate::inheritable::Inheritable;

/// A share in a kept environment. Until the last process that has one has let go of it or ended, nobody can remove the
/// environment: `cleanup` and `down` raise `EnvironmentInUseError`. A process that has inherited one counts as this
/// environment's own, whatever becomes of its variables and its parents. Made by `Environment.hold`.
///
/// ```text
/// with environment.hold() as hold, hold.inheritable() as fd:
///     server = subprocess.Popen(command, pass_fds=[fd], env={**os.environ, **environment.variables})
/// ```
#[pyclass(frozen, module = "portalloc")]
pub(crate) struct Hold {
    hold: Mutex<Option<portalloc::environment::Hold>>,
}

impl Hold {
    pub(crate) fn new(hold: portalloc::environment::Hold) -> Self {
        Self { hold: Mutex::new(Some(hold)) }
    }

    fn hold(&self) -> MutexGuard<'_, Option<portalloc::environment::Hold>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Hold {
    /// Lets child processes inherit it: `with hold.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])`.
    ///
    /// Raises `InvalidArgumentError` once released, `SystemCallError`.
    fn inheritable(&self, py: Python<'_>) -> PyResult<Inheritable> {
        let copied = ffi::no_panic(|| self.hold().as_ref().ok_or_else(ffi::no_hold)?.inheritable());
        call::finished(py, copied).map(Inheritable::new)
    }

    /// Gives up this process's share. Safe to call twice. Child processes that have inherited it keep theirs.
    fn release(&self) {
        drop(self.hold().take());
    }

    /// Whether this process has given up its share.
    #[getter]
    fn released(&self) -> bool {
        self.hold().is_none()
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (_type = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        _type: Option<Bound<'_, PyAny>>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) {
        self.release();
    }

    fn __repr__(&self) -> &'static str {
        if self.released() { "<Hold released>" } else { "<Hold>" }
    }
}
