//! The core's errors as Python's exceptions, whose classes are in `errors.py`.

use portalloc::Error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// The exception for an error of the core.
pub(crate) fn raised(py: Python<'_>, error: Error) -> PyErr {
    exception(py, &error).map_or_else(|failure| failure, PyErr::from_value)
}

/// Made by Python, so that its class says which one, and how it is shown and pickled.
fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.import(py, "portalloc.errors", "error_of")?;
    let ports: Vec<u16> = error.ports().iter().map(|state| state.port).collect();
    let census = error.census().map(|census| {
        let counts = PyDict::new(py);
        for (name, count) in census.counts() {
            counts.set_item(name, count)?;
        }
        Ok::<_, PyErr>(counts)
    });
    make.call1((error.code().as_str(), error.message(), error.remedy(), ports, census.transpose()?))
}
