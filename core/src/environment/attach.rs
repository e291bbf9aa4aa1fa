//! Using an environment that another process made: reading, never owning.

use super::request::EnvironmentRequest;
use super::{Environment, status};
use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::registry::Stored;

/// The variable that names the environment of a run to all its processes.
const VARIABLE: &str = "ISOLATION_ID";

impl Allocator {
    /// The live environment with this ID, to read its ports, names and temp dir. Dropping what is returned ends nothing.
    ///
    /// # Errors
    /// `not_found` if there is none or it is over, with the reason; `permission_denied` if it is another user's;
    /// `registry_unusable`, `io`.
    pub fn attach(&self, id: IsolationId) -> Result<Environment> {
        let registry = &self.registry;
        let record = match registry.records().read(id)? {
            Stored::Record(record) => record,
            Stored::Missing => return Err(not_found(id, "there is none of that ID in this registry")),
            Stored::Broken(why) => return Err(not_found(id, &why)),
            Stored::Foreign(user) => {
                return Err(Error::new(
                    ErrorCode::PermissionDenied,
                    format!("the environment {id} belongs to user {user}"),
                    "attach as that user",
                ));
            }
        };
        let status = status::judge(registry, &registry.ports()?, &record, &registry.process()?)?;
        if let (true, Some(reason)) = (status.is_stale(), status.reason()) {
            return Err(not_found(id, &format!("it is stale: {reason}")));
        }
        Ok(Environment { registry: registry.clone(), record: *record, lease: None })
    }

    /// The environment of this run: attached to the one that `ISOLATION_ID` names, if that lives, else a new one as
    /// `request` says, whose [`variables`](Environment::variables) are to be given to the processes that should share it.
    /// [`Environment::lease`] tells which it was: only a new one that is held has a lease.
    ///
    /// # Errors
    /// `invalid_id` if the variable is set to no ID; else as [`attach`](Self::attach) and
    /// [`create_environment`](Self::create_environment).
    pub fn current(&self, request: &EnvironmentRequest) -> Result<Environment> {
        if let Some(named) = std::env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
            match self.attach(named.to_string_lossy().parse()?) {
                // Left over from a run that has ended.
                Err(error) if error.code() == ErrorCode::NotFound => {}
                other => return other,
            }
        }
        self.create_environment(request)
    }
}

fn not_found(id: IsolationId, why: &str) -> Error {
    Error::new(
        ErrorCode::NotFound,
        format!("no live environment {id}: {why}"),
        "see `portalloc list`, or make a new one",
    )
}
