//! What the pytest plugin asks when a test has ended. Not for users: `portalloc` does not export it.

use std::time::Duration;

use portalloc::Settings;
use portalloc::who::{Failure, LEAK_GRACE, PortExplanation};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::arguments::{Groups, Ports, Texts};
use crate::call;

/// A sentence about a port, the port, and whether this very process has a socket on it.
type Told = (String, u16, bool);

fn told(found: Vec<PortExplanation>) -> Vec<Told> {
    found.into_iter().map(|one| (one.message, one.port, one.is_ours)).collect()
}

/// For each port that a failure was about, a sentence, the port, and whether this very process is on it: `named` by an error, or mentioned in the messages of errors that are
/// certainly `conflicts`, or in other `texts`. `None` if the failure tells of no port conflict.
#[pyfunction]
pub(crate) fn explain_conflict(
    py: Python<'_>,
    named: Ports,
    conflicts: Texts,
    texts: Texts,
) -> PyResult<Option<Vec<Told>>> {
    let mut failure = Failure::new();
    (failure.named, failure.conflicts, failure.texts) = (named.0, conflicts.0, texts.0);
    let found = call::long(py, &Settings::new(), |allocator| allocator.explain_conflict(&failure))?;
    Ok(found.map(told))
}

/// The same about ports that the caller has guessed, the surest group first.
#[pyfunction]
pub(crate) fn explain_candidates(py: Python<'_>, groups: Groups) -> PyResult<Vec<Told>> {
    call::long(py, &Settings::new(), |allocator| allocator.explain_candidates(&groups.0)).map(told)
}

/// Ports that a text names, whatever it is about.
#[pyfunction]
pub(crate) fn ports_in(text: &Bound<'_, PyString>) -> Vec<u16> {
    portalloc::conflict::ports_in(&text.to_string_lossy())
}

/// Servers on ports that are still leased, but about to be released: a sentence for each, and whether this very process is
/// one of those that listen. `patient`: gives the servers a moment to end. Ctrl-C ends the wait.
#[pyfunction]
pub(crate) fn leaks(py: Python<'_>, ports: Ports, ours_too: bool, patient: bool) -> PyResult<Vec<(String, bool)>> {
    let grace = if patient { LEAK_GRACE } else { Duration::ZERO };
    let leaks = call::waiting(py, |interrupt| {
        interrupt.with(&Settings::new(), |allocator| allocator.leaks(&ports.0, ours_too, grace))
    })?;
    Ok(leaks.into_iter().map(|leak| (leak.message, leak.is_ours)).collect())
}
