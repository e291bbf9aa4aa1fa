//! Where in the program each live lease of this process was taken, for messages about a port conflict within one process.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sys::PerProcess;

/// Where the leases that live were taken, by their numbers.
static TAKEN: PerProcess<Mutex<BTreeMap<u64, Place>>> = PerProcess::new();

/// A place in the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not told yet: it is the Rust code that calls this library.
    #[default]
    Caller,
    Rust(&'static Location<'static>),
    /// Told by a binding; empty if it does not know.
    Text(Box<str>),
}

impl Place {
    /// This place, or the caller's where none was told.
    pub(crate) fn or(self, caller: &'static Location<'static>) -> Self {
        if self == Self::Caller { Self::Rust(caller) } else { self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller => Ok(()),
            Self::Rust(at) => write!(f, "{}:{}", at.file(), at.line()),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A lease that [`taken_at`] knows until this is dropped.
#[derive(Debug)]
pub(crate) struct Noted(u64);

impl Noted {
    pub(crate) fn new(lease: u64, place: Place) -> Self {
        taken().insert(lease, place);
        Self(lease)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        taken().remove(&self.0);
    }
}

/// Where this process took the lease, as `file:line`, or empty if no binding told; `None` if it is another's.
pub(crate) fn taken_at(lease: u64) -> Option<String> {
    taken().get(&lease).map(ToString::to_string)
}

fn taken() -> MutexGuard<'static, BTreeMap<u64, Place>> {
    TAKEN.get().lock().unwrap_or_else(PoisonError::into_inner)
}
