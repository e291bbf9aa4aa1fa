//! One interpreter of a process only: what this module keeps of Python's objects would be shared with the others, and be
//! broken once the one that they belong to is gone. CPython itself refuses only interpreters with a lock of their own.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Refuses to be imported by a second interpreter.
pub(crate) fn only_one(py: Python<'_>) -> PyResult<()> {
    // Each interpreter has its own; kept, so that no other one's can come to lie at the same place.
    static FIRST: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let sys = py.import("sys")?;
    if FIRST.get_or_init(py, || sys.clone().unbind()).is(&sys) {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "another interpreter of this process has imported portalloc, which does not support sub-interpreters: \
         use it in one of them only, or in a process of its own",
    ))
}
