//! The guard of a lease: adding, sharing and dropping it.

use std::sync::{MutexGuard, PoisonError};

use socket2::Type;

use super::guard::{Guard, GuardState};
use super::{Lease, not_ours};
use crate::error::Result;
use crate::registry::PortsFile;

impl Lease {
    /// What keeps foreign processes off the ports now.
    #[must_use]
    pub fn guard_state(&self) -> GuardState {
        self.in_sight(&self.guard).and_then(|guard| guard.as_ref().map(Guard::state)).unwrap_or(GuardState::None)
    }

    /// Blocks every other bind on the ports: binds those without a guard, and revokes
    /// [`share_guard`](Self::share_guard). Uses two descriptors per port.
    ///
    /// # Errors
    /// `port_in_use` if something, such as your own server, is already bound to one of the ports; then nothing has
    /// changed. `invalid_argument` if the lease was released; `io` at the descriptor limit.
    pub fn guard(&self) -> Result<()> {
        // While this is held, no other thread can release the lease.
        let _held = self.check_held()?;
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some(guard) => guard.close_again()?,
            None => *guard = Some(Guard::bind(&self.ports)?),
        }
        Ok(())
    }

    /// Lets servers that set `SO_REUSEADDR` bind the ports for TCP, and any server for UDP. Does nothing without a
    /// guard.
    ///
    /// # Errors
    /// `invalid_argument` if the lease was released; `io` for an operating system error.
    pub fn share_guard(&self) -> Result<()> {
        let _held = self.check_held()?;
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map_or(Ok(()), Guard::share)
    }

    /// Drops the guard, for servers that do not set `SO_REUSEADDR`. The ports stay leased. A forked child has no guard,
    /// so it drops nothing.
    pub fn drop_guard(&self) {
        if let Some(mut guard) = self.in_sight(&self.guard) {
            *guard = None;
        }
    }

    /// Runs `bind` for one port, over its guard if there is one.
    pub(super) fn over_guard<T>(&self, port: u16, kind: Type, bind: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.guard.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(guard) => guard.over(port, kind, bind),
            None => bind(),
        }
    }

    /// Checks that this process took the lease and still holds it. The lease cannot be released while the result is
    /// alive.
    pub(super) fn check_held(&self) -> Result<MutexGuard<'_, Option<PortsFile>>> {
        if !self.is_ours() {
            return Err(not_ours());
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.held(file.as_ref())?;
        Ok(file)
    }
}
