//! The command line: the same as the binary's.

use pyo3::prelude::*;

use crate::arguments::Words;

/// Runs the command line with these arguments, the first of which is the program's name, and returns its exit status.
#[pyfunction]
pub(crate) fn run_command_line(py: Python<'_>, args: Words) -> u8 {
    py.detach(|| portalloc_cli::run(args.0)).status()
}
