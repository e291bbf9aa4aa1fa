//! Warnings of the core, and of objects that were lost to the garbage collector. All of them are `PortallocWarning`s, whose
//! class is in `errors.py`.

use std::ffi::CString;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// Passes the core's warnings on to Python, about the line that is running. Fails if Python was told to raise warnings.
pub(crate) fn give_out(py: Python<'_>) -> PyResult<()> {
    let pending = portalloc::process::take_warnings();
    if pending.is_empty() { Ok(()) } else { give_out_all(py, pending) }
}

#[cold]
fn give_out_all(py: Python<'_>, pending: Vec<portalloc::process::Warning>) -> PyResult<()> {
    let category = category(py)?;
    let mut raised = None;
    for warning in pending {
        if let Err(error) = PyErr::warn(py, category, &text(&warning.message), 1) {
            match raised {
                None => raised = Some(error),
                // Only one can be raised, and the core gives each of them once.
                Some(_) => error.write_unraisable(py, None),
            }
        }
    }
    raised.map_or(Ok(()), Err)
}

/// Warns about a line of a file: once for each line, unless Python was told otherwise.
pub(crate) fn warn_about(py: Python<'_>, file: &str, line: i32, message: &str) -> PyResult<()> {
    // Python notes in this registry what it has shown already; one for each file, because it notes lines only.
    static SAID: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let said = SAID.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    let registry = match said.get_item(file)? {
        Some(registry) => registry,
        None => {
            let registry = PyDict::new(py).into_any();
            said.set_item(file, &registry)?;
            registry
        }
    };
    PyErr::warn_explicit(py, category(py)?, &text(message), &text(file), line, None, Some(&registry))
}

/// Whether the interpreter is ending, and clears the objects that are still alive.
pub(crate) fn is_ending(py: Python<'_>) -> bool {
    static IS_FINALIZING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let answer = IS_FINALIZING.import(py, "sys", "is_finalizing").and_then(|ask| ask.call0()?.extract());
    // Only an interpreter that has cleared everything cannot answer.
    answer.unwrap_or(true)
}

fn category(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CATEGORY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CATEGORY.import(py, "portalloc.errors", "PortallocWarning")
}

/// As Python's C functions take it.
fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
