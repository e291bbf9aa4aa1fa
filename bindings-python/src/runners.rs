//! What the pytest plugin asks when a test is over. Not for users: `portalloc` does not show it.

use portalloc::Settings;
use portalloc::conflict::Clash;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::Ports;
use crate::call;
use crate::reports::PortReport;

/// A server that outlives what its port was leased for.
#[pyclass(frozen, get_all, module = "portalloc._portalloc")]
pub(crate) struct Leak {
    /// One sentence.
    message: String,
    /// Whether this very process listens.
    is_ours: bool,
}

/// Groups of ports that a text about an address in use may mean, the surest first; none if it tells of no such thing.
#[pyfunction]
pub(crate) fn clash_in(text: &Bound<'_, PyString>) -> Option<Vec<Vec<u16>>> {
    // Lossy: what a program prints is decoded in ways that leave halves of characters.
    Clash::in_text(&text.to_string_lossy()).map(|Clash { told, around }| vec![told, around])
}

/// Ports that a text names, whatever it tells of.
#[pyfunction]
pub(crate) fn ports_in(text: &Bound<'_, PyString>) -> Vec<u16> {
    portalloc::conflict::ports_in(&text.to_string_lossy())
}

/// Reports of those of the ports that can be what a clash was about.
#[pyfunction]
pub(crate) fn culprits(py: Python<'_>, ports: Ports) -> PyResult<Vec<PortReport>> {
    let reports = call::long(py, &Settings::new(), |allocator| allocator.culprits(ports.0))?;
    reports.iter().map(|report| PortReport::new(py, report)).collect()
}

/// Servers on ports that are still leased, but about to be given back.
#[pyfunction]
pub(crate) fn leaks(py: Python<'_>, ports: Ports, ours_too: bool) -> PyResult<Vec<Leak>> {
    let leaks = call::long(py, &Settings::new(), |allocator| allocator.leaks(&ports.0, ours_too))?;
    Ok(leaks.into_iter().map(|leak| Leak { message: leak.message, is_ours: leak.is_ours }).collect())
}
