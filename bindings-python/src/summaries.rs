//! What the core reports, as the dataclasses of `summaries.py`: they are made from the core's JSON, so that every language
//! and the command line show the same fields.

use portalloc::{Allocator, Result, Settings};
use pyo3::prelude::*;

use crate::call;
use crate::typed::Typed;

/// What `maker` of `summaries.py` makes of the JSON that `report` gives.
pub(crate) fn summary<'py, T>(
    py: Python<'py>,
    maker: &str,
    report: impl FnOnce(&Allocator) -> Result<String> + Send,
) -> PyResult<Typed<'py, T>> {
    made(py, maker, &call::long(py, &Settings::new(), report)?)
}

/// What `maker` of `summaries.py` makes of JSON.
pub(crate) fn made<'py, T>(py: Python<'py>, maker: &str, json: &str) -> PyResult<Typed<'py, T>> {
    // Imported here, because it costs more than all the rest of the package.
    Typed::new(py.import("portalloc.summaries")?.getattr(maker)?.call1((json,))?, py)
}
