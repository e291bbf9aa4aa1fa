//! The descriptor of a lease, for child processes that inherit it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A duplicate of a lease's file descriptor, which child processes inherit if they start while it is open. The lease then
/// lives until this process and every process that inherited it have let go of it or ended.
///
/// `with lease.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])` closes it once the child is started, so that
/// later ones do not inherit it.
#[pyclass(frozen, module = "portalloc")]
pub(crate) struct Inheritable {
    copy: Mutex<Option<portalloc::Inheritable>>,
}

impl Inheritable {
    pub(crate) fn new(copy: portalloc::Inheritable) -> Self {
        Self { copy: Mutex::new(Some(copy)) }
    }

    fn copy(&self) -> MutexGuard<'_, Option<portalloc::Inheritable>> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Inheritable {
    /// The file descriptor, for `pass_fds`. `ValueError` once it is closed.
    fn fileno(&self) -> PyResult<i64> {
        self.copy().as_ref().map(portalloc::Inheritable::number).ok_or_else(|| PyValueError::new_err("it is closed"))
    }

    /// Closes this copy. Again does nothing.
    fn close(&self) {
        drop(self.copy().take());
    }

    fn __enter__(&self) -> PyResult<i64> {
        self.fileno()
    }

    #[pyo3(signature = (_type = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        _type: Option<Bound<'_, PyAny>>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) {
        self.close();
    }

    fn __repr__(&self) -> String {
        match self.copy().as_ref() {
            Some(copy) => format!("<Inheritable fd={}>", copy.number()),
            None => "<Inheritable closed>".to_owned(),
        }
    }
}
