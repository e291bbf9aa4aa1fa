//! Where in the user's code something was made, so that a warning or an error about it can name the line.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::warnings;

/// A line of Python code. Keeps the code, not the frame, which would keep all its variables.
pub(crate) struct Origin {
    code: Py<PyAny>,
    line: i32,
}

impl Origin {
    /// The line that is running; none if no Python code is.
    pub(crate) fn here(py: Python<'_>) -> Option<Self> {
        static FRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let frame = FRAME.import(py, "sys", "_getframe").ok()?.call0().ok()?;
        let line = frame.getattr(intern!(py, "f_lineno")).ok()?.extract().ok()?;
        Some(Self { code: frame.getattr(intern!(py, "f_code")).ok()?.unbind(), line })
    }

    /// As `file:line`.
    pub(crate) fn place(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("{}:{}", self.file(py)?, self.line))
    }

    /// As an error names it: of a fixture of ours, the test that it is for.
    pub(crate) fn told(&self, py: Python<'_>) -> PyResult<String> {
        let place = self.place(py)?;
        if !place.contains("/portalloc_pytest/") {
            return Ok(place);
        }
        let test = std::env::var_os("PYTEST_CURRENT_TEST").unwrap_or_default().to_string_lossy().into_owned();
        Ok(test.rsplit_once(" (").map_or(place, |(test, _)| test.to_owned()))
    }

    fn file(&self, py: Python<'_>) -> PyResult<String> {
        let file = self.code.bind(py).getattr(intern!(py, "co_filename"))?;
        // Lossy: a file's name need not be UTF-8.
        Ok(file.cast::<PyString>()?.to_string_lossy().into_owned())
    }

    /// Warns that what was made here was left to the garbage collector. If warnings are errors, no caller can receive this
    /// one, so Python reports it as unraisable.
    ///
    /// An object that is still alive when the interpreter ends was not lost: it has lived as long as the process.
    pub(crate) fn warn(&self, py: Python<'_>, message: &str) {
        // An exception that is being raised at this moment must survive this.
        let raising = PyErr::take(py);
        if !warnings::is_ending(py)
            && let Err(error) = self.file(py).and_then(|file| warnings::warn_about(py, &file, self.line, message))
        {
            error.write_unraisable(py, Some(self.code.bind(py)));
        }
        if let Some(error) = raising {
            error.restore(py);
        }
    }
}
