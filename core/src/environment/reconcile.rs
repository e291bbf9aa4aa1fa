//! Makes the labels of ports and the records of environments agree.

use crate::allocator::Allocator;
use crate::error::Result;
use crate::registry::Repair;

impl Allocator {
    /// Makes labels and records agree again, after a crash or a manual edit, and returns the repairs. On a healthy
    /// registry it changes nothing.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn reconcile(&self) -> Result<Vec<Repair>> {
        self.in_checked_registry(|allocator| allocator.registry.reconcile())
    }
}
