//! The guard of a lease: taken, shared with servers, and taken away.

use std::sync::{MutexGuard, PoisonError};

use socket2::Type;

use super::guard::{Guard, GuardState};
use super::{Lease, not_ours};
use crate::error::Result;
use crate::registry::PortsFile;

impl Lease {
    /// What keeps strangers off the ports now.
    #[must_use]
    pub fn guard_state(&self) -> GuardState {
        self.in_sight(&self.guard).and_then(|guard| guard.as_ref().map(Guard::state)).unwrap_or(GuardState::None)
    }

    /// Shuts the ports to everybody: binds what is not bound yet, and takes back what [`share_guard`](Self::share_guard)
    /// allowed. Two descriptors a port.
    ///
    /// # Errors
    /// `port_in_use` if something is bound to one of the ports already, such as your own server; then nothing has
    /// changed. `invalid_argument` if the lease was released; `io` at the descriptor limit.
    pub fn guard(&self) -> Result<()> {
        // As long as this is there, no other thread can release the lease.
        let _held = self.check_held()?;
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        match guard.as_mut() {
            Some(guard) => guard.close_again()?,
            None => *guard = Some(Guard::bind(&self.ports)?),
        }
        Ok(())
    }

    /// Lets servers that set `SO_REUSEADDR` bind the ports, and everything that is UDP. Without a guard it does nothing.
    ///
    /// # Errors
    /// `invalid_argument` if the lease was released; `io` if the system refuses.
    pub fn share_guard(&self) -> Result<()> {
        let _held = self.check_held()?;
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map_or(Ok(()), Guard::share)
    }

    /// Takes the guard away, for servers that do not set `SO_REUSEADDR`. The ports stay leased. A forked child has none to
    /// take away.
    pub fn drop_guard(&self) {
        if let Some(mut guard) = self.in_sight(&self.guard) {
            *guard = None;
        }
    }

    /// Does `bind` for one port, over its guard, if there is one.
    pub(super) fn over_guard<T>(&self, port: u16, kind: Type, bind: impl FnOnce() -> Result<T>) -> Result<T> {
        match self.guard.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(guard) => guard.over(port, kind, bind),
            None => bind(),
        }
    }

    /// Only the process that took the lease, and only while it has it: which it does as long as the result lives.
    pub(super) fn check_held(&self) -> Result<MutexGuard<'_, Option<PortsFile>>> {
        if !self.is_ours() {
            return Err(not_ours());
        }
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        self.held(file.as_ref())?;
        Ok(file)
    }
}
