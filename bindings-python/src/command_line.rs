//! The command line: the very same as the binary's.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line with these arguments, the first of which is the program's name, and returns its exit status.
#[pyfunction]
#[pyo3(signature = (args: "list[str]") -> "int")]
pub(crate) fn run_command_line(py: Python<'_>, args: Vec<OsString>) -> u8 {
    py.detach(|| portalloc_cli::run(args)).status()
}
