//! Only one interpreter of a process can use this module: interpreters would share the Python objects that it keeps, which
//! break when the interpreter that they belong to ends. CPython itself refuses only interpreters with a GIL of their own.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Refuses to be imported by a second interpreter.
pub(crate) fn only_one(py: Python<'_>) -> PyResult<()> {
    // Each interpreter has its own `sys`. Kept, so that no other one can be allocated at the same address.
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
