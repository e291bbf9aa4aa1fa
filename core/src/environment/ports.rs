//! The ports of an environment by its ID, for whoever has only that: reads its record and looks at no socket.

use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::registry::{Registry, Stored};
use crate::who::PortReport;

impl Allocator {
    /// Who is on the ports of an environment, in the order of its names.
    ///
    /// # Errors
    /// `not_found`, `registry_unusable`, `io`.
    pub fn who_environment(&self, id: IsolationId) -> Result<Vec<PortReport>> {
        self.in_checked_registry(|allocator| {
            if let Stored::Record(record) = allocator.registry.records().read(id)? {
                return allocator.who(record.ports.ports);
            }
            // Another user's, or broken: its labels tell.
            let listed = allocator.list()?.environments.into_iter().find(|info| info.id == id);
            allocator.who(listed.map(|info| info.ports).ok_or_else(|| allocator.registry.no_environment(id))?)
        })
    }

    /// The ports of an environment of this user, held or kept, as its record says.
    ///
    /// # Errors
    /// `not_found`, `permission_denied` if it is another user's, `registry_unusable` if its record is damaged, `io`.
    pub fn environment_ports(&self, id: IsolationId) -> Result<Vec<u16>> {
        let (code, message, remedy) = match self.registry.records().read(id)? {
            Stored::Record(record) => return Ok(record.ports.ports),
            Stored::Missing => (
                ErrorCode::NotFound,
                format!("there is no environment {id} in {}", self.registry.path().display()),
                "see `portalloc list`; environments of other network namespaces are not shown",
            ),
            Stored::Foreign(user) => (
                ErrorCode::PermissionDenied,
                format!("the environment {id} belongs to user {user}"),
                "name its ports instead; `portalloc list` shows them",
            ),
            Stored::Broken(why) => (
                ErrorCode::RegistryUnusable,
                format!("the record of environment {id} is damaged: {why}"),
                "clean it up and make another, or name its ports",
            ),
        };
        Err(Error::new(code, message, remedy))
    }
}

impl Registry {
    fn no_environment(&self, id: IsolationId) -> Error {
        Error::new(
            ErrorCode::NotFound,
            format!("there is no environment {id} in {}", self.path().display()),
            "see `portalloc list`; environments of other network namespaces are not shown",
        )
    }
}
