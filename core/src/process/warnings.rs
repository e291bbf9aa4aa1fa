//! What the user should know though nothing failed: kept until the border in use takes it and says it in its own way, each
//! once in a process. Knows no language.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::sys::PerProcess;

/// Something that the user should know though nothing failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A stable word for programs, such as `lease_lost`.
    pub code: &'static str,
    /// What happened and what to do, for people.
    pub message: String,
}

/// As many as are kept for a border that never asks.
const MAX_PENDING: usize = 100;

#[derive(Default)]
struct Warnings {
    /// Whether there are any, so that asking costs next to nothing.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: Vec<Warning>,
    said: BTreeSet<(&'static str, String)>,
}

static WARNINGS: PerProcess<Warnings> = PerProcess::new();

/// Takes the warnings that have come up in this process since the last call, oldest first. A border calls it after each
/// of its calls. Never blocks for long; any thread may call it.
#[must_use]
pub fn take_warnings() -> Vec<Warning> {
    let warnings = WARNINGS.get();
    // Read first: to write would have every thread wait for the others.
    if !warnings.any.load(Ordering::Relaxed) || !warnings.any.swap(false, Ordering::Relaxed) {
        return Vec::new();
    }
    std::mem::take(&mut warnings.state.lock().unwrap_or_else(PoisonError::into_inner).pending)
}

/// Adds a warning, unless this process had one with the same code about the same `subject` before.
pub fn warn_once(code: &'static str, subject: &str, message: impl Into<String>) {
    let warnings = WARNINGS.get();
    let mut state = warnings.state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.pending.len() < MAX_PENDING && state.said.insert((code, subject.to_owned())) {
        state.pending.push(Warning { code, message: message.into() });
        warnings.any.store(true, Ordering::Relaxed);
    }
}
