//! Making the labels of ports and the records of environments agree.

use crate::allocator::Allocator;
use crate::error::Result;
use crate::registry::Repair;

impl Allocator {
    /// Makes labels and records agree again, after a crash or a hand edit, and says what was repaired.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn reconcile(&self) -> Result<Vec<Repair>> {
        self.in_checked_registry(|allocator| allocator.registry.reconcile())
    }
}
