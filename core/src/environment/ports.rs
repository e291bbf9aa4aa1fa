//! The ports of an environment for a caller that has only its ID: reads the record and checks no socket.

use crate::allocator::Allocator;
use crate::error::Result;
use crate::id::IsolationId;
use crate::registry::Stored;
use crate::who::PortReport;

impl Allocator {
    /// Reports what is on each port of an environment, in the order of its names.
    ///
    /// # Errors
    /// `not_found`, `registry_unusable`, `io`.
    pub fn who_environment(&self, id: IsolationId) -> Result<Vec<PortReport>> {
        self.in_checked_registry(|allocator| {
            let records = allocator.registry.records();
            let ports = match records.read(id)? {
                Stored::Record(record) => record.ports.ports,
                // The record is broken or belongs to another user; use the labels.
                _ => match allocator.list()?.environments.into_iter().find(|info| info.id == id) {
                    Some(info) => info.ports,
                    None => records.require_read(id, Stored::Missing)?.ports.ports,
                },
            };
            allocator.who(ports)
        })
    }

    /// The ports of a held or kept environment of this user, according to its record.
    ///
    /// # Errors
    /// `not_found`, `permission_denied` if it belongs to another user, `registry_unusable` if its record is damaged,
    /// `io`.
    pub fn environment_ports(&self, id: IsolationId) -> Result<Vec<u16>> {
        self.in_checked_registry(|allocator| allocator.registry.records().require(id)).map(|record| record.ports.ports)
    }
}
