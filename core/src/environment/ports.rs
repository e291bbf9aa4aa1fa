//! The ports of an environment by its ID, for whoever has only that: reads its record and looks at no socket.

use crate::allocator::Allocator;
use crate::error::Result;
use crate::id::IsolationId;
use crate::registry::Stored;
use crate::who::PortReport;

impl Allocator {
    /// Who is on the ports of an environment, in the order of its names.
    ///
    /// # Errors
    /// `not_found`, `registry_unusable`, `io`.
    pub fn who_environment(&self, id: IsolationId) -> Result<Vec<PortReport>> {
        self.in_checked_registry(|allocator| {
            let records = allocator.registry.records();
            let ports = match records.read(id)? {
                Stored::Record(record) => record.ports.ports,
                // Another user's, or broken: its labels tell.
                _ => match allocator.list()?.environments.into_iter().find(|info| info.id == id) {
                    Some(info) => info.ports,
                    None => records.require_read(id, Stored::Missing)?.ports.ports,
                },
            };
            allocator.who(ports)
        })
    }

    /// The ports of an environment of this user, held or kept, as its record says.
    ///
    /// # Errors
    /// `not_found`, `permission_denied` if it is another user's, `registry_unusable` if its record is damaged, `io`.
    pub fn environment_ports(&self, id: IsolationId) -> Result<Vec<u16>> {
        self.in_checked_registry(|allocator| allocator.registry.records().require(id)).map(|record| record.ports.ports)
    }
}
