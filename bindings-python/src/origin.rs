//! Where in the user's code something was made, so that a warning about it can name the line.

use std::ffi::CString;

use pyo3::exceptions::PyResourceWarning;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// A line of Python code. Keeps the code, not the frame, which would keep all its variables.
pub(crate) struct Origin {
    code: Py<PyAny>,
    line: i32,
}

impl Origin {
    /// The line that is running; none if Python calls from no code at all.
    pub(crate) fn here(py: Python<'_>) -> Option<Self> {
        static FRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let frame = FRAME.import(py, "sys", "_getframe").ok()?.call0().ok()?;
        let line = frame.getattr(intern!(py, "f_lineno")).ok()?.extract().ok()?;
        Some(Self { code: frame.getattr(intern!(py, "f_code")).ok()?.unbind(), line })
    }

    /// Warns that what was made here was left to the garbage collector. If warnings are errors, there is nobody to raise
    /// this one to, so Python reports it as unraisable.
    pub(crate) fn warn(&self, py: Python<'_>, message: &str) {
        // Whatever is being raised at this moment is none of this business, and must survive it.
        let raising = PyErr::take(py);
        if let Err(error) = self.try_warn(py, message) {
            error.write_unraisable(py, Some(self.code.bind(py)));
        }
        if let Some(error) = raising {
            error.restore(py);
        }
    }

    fn try_warn(&self, py: Python<'_>, message: &str) -> PyResult<()> {
        let file: String = self.code.bind(py).getattr(intern!(py, "co_filename"))?.extract()?;
        let category = py.get_type::<PyResourceWarning>();
        let (message, file) = (CString::new(message)?, CString::new(file)?);
        PyErr::warn_explicit(py, &category, &message, &file, self.line, None, None)
    }
}
