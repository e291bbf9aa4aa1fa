//! Which steps an exploration has made: one that is never made is modelled for nothing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::process::Step;

/// The steps made so far.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// One bit for each step, so that the lock is taken once for each of them only.
    known: [AtomicU64; 2],
    steps: Mutex<BTreeSet<Step>>,
}

impl Coverage {
    pub(crate) fn note(&self, step: Step) {
        let number = step as usize;
        let bit = 1 << (number % 64);
        if self.known[number / 64].fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            self.steps.lock().unwrap_or_else(PoisonError::into_inner).insert(step);
        }
    }

    pub(crate) fn steps(&self) -> BTreeSet<Step> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
