//! Warnings for the user when nothing failed. They are kept until the binding in use takes them and reports them in its
//! own way, each once per process. Knows no language.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::sys::PerProcess;

/// A warning for the user when nothing failed.
///
/// ```
/// for warning in portalloc::process::take_warnings() {
///     eprintln!("{}: {}", warning.code, warning.message);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A stable word for programs, such as `lease_lost`.
    pub code: &'static str,
    /// What happened and what to do, for people.
    pub message: String,
}

/// How many warnings are kept for a binding that never takes them.
const MAX_PENDING: usize = 100;

#[derive(Default)]
struct Warnings {
    /// Whether there are any, so that checking costs almost nothing.
    any: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: Vec<Warning>,
    said: BTreeSet<(&'static str, String)>,
}

static WARNINGS: PerProcess<Warnings> = PerProcess::new();

/// Takes the warnings that this process has produced since the last call, oldest first. A binding calls this after each
/// of its calls. Any thread may call it, and it does not block for long.
#[must_use]
pub fn take_warnings() -> Vec<Warning> {
    let warnings = WARNINGS.get();
    // Reads first, because a write would make other threads wait.
    if !warnings.any.load(Ordering::Relaxed) || !warnings.any.swap(false, Ordering::Relaxed) {
        return Vec::new();
    }
    std::mem::take(&mut warnings.state.lock().unwrap_or_else(PoisonError::into_inner).pending)
}

/// Adds a warning, unless this process already had one with the same code and `subject`.
pub fn warn_once(code: &'static str, subject: &str, message: impl Into<String>) {
    let warnings = WARNINGS.get();
    let mut state = warnings.state.lock().unwrap_or_else(PoisonError::into_inner);
    if state.pending.len() < MAX_PENDING && state.said.insert((code, subject.to_owned())) {
        state.pending.push(Warning { code, message: message.into() });
        warnings.any.store(true, Ordering::Relaxed);
    }
}
