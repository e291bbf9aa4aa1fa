//! Serializes tests of one process that would disturb each other. A program that one test starts has copies of the
//! sockets of all other tests in this process until exec: a port that was probed or closed a moment ago is still bound.
//! A test that must be sure of its ports takes an exclusive turn.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static TURNS: RwLock<()> = RwLock::new(());

/// A turn, which lasts until it is dropped.
#[derive(Debug)]
pub(crate) enum Turn {
    WithOthers { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

impl Turn {
    pub(crate) fn with_others() -> Self {
        Self::WithOthers { _guard: TURNS.read().unwrap_or_else(PoisonError::into_inner) }
    }

    pub(crate) fn alone() -> Self {
        Self::Alone { _guard: TURNS.write().unwrap_or_else(PoisonError::into_inner) }
    }
}
