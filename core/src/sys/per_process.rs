//! A value of which every process has its own: a forked child starts without one, whatever state its parent's was in.

use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::generation;

/// One value per process. A child neither reads nor frees its parent's value, which a thread that the child does not
/// have may have locked or half changed.
pub(crate) struct PerProcess<T> {
    current: AtomicPtr<Made<T>>,
    owns: PhantomData<T>,
}

struct Made<T> {
    generation: u64,
    value: T,
    /// The parent's value in a forked child: kept reachable only so that leak checkers do not report it.
    _inherited: AtomicPtr<Made<T>>,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self { current: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    /// This process's value, created with `make` if it does not exist. If several threads create it at once, one wins.
    pub(crate) fn get_or_try_make<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<&T, E> {
        let generation = generation();
        let found = self.current.load(Ordering::Acquire);
        if let Some(value) = self.of(found, generation) {
            return Ok(value);
        }
        let made = Box::into_raw(Box::new(Made { generation, value: make()?, _inherited: AtomicPtr::new(found) }));
        let mut expected = found;
        loop {
            match self.current.compare_exchange(expected, made, Ordering::AcqRel, Ordering::Acquire) {
                // The old value is the parent's. It is never freed, since it may be locked, or own resources that only
                // the parent may release.
                Ok(_) => break,
                Err(other) => match self.of(other, generation) {
                    Some(value) => {
                        // SAFETY: it was made above by `Box::into_raw`, and no other thread has seen it.
                        drop(unsafe { Box::from_raw(made) });
                        return Ok(value);
                    }
                    None => expected = other,
                },
            }
        }
        // SAFETY: it was published above, and what was published is freed only with `self`.
        Ok(unsafe { &(*made).value })
    }

    /// This process's value, created with `Default` if it does not exist.
    pub(crate) fn get(&self) -> &T
    where
        T: Default,
    {
        let Ok(value) = self.get_or_try_make(|| Ok::<_, std::convert::Infallible>(T::default()));
        value
    }

    fn of(&self, made: *mut Made<T>, generation: u64) -> Option<&T> {
        // SAFETY: null, or made by `Box::into_raw` and freed only with `self`.
        let made = unsafe { made.as_ref() }?;
        (made.generation == generation).then_some(&made.value)
    }
}

impl<T> Default for PerProcess<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let made = *self.current.get_mut();
        if self.of(made, generation()).is_some() {
            // SAFETY: made by `Box::into_raw` in this process, and nobody borrows it any more.
            drop(unsafe { Box::from_raw(made) });
        }
    }
}

// SAFETY: it hands out shared references from any thread and drops the value on any thread, so the value must allow both.
unsafe impl<T: Send + Sync> Sync for PerProcess<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for PerProcess<T> {}
