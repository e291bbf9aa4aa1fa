//! Attaching to an environment that another process created: reads it, never owns it.

use std::sync::{Arc, Mutex};

use super::request::EnvironmentRequest;
use super::{Environment, status};
use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::registry::{Registry, Stored};

/// The variable that tells all processes of a run the environment they share.
const VARIABLE: &str = "ISOLATION_ID";

impl Allocator {
    /// Returns the live environment with this ID, to read its ports, names and temp directory. Dropping the result does
    /// not end the environment.
    ///
    /// # Errors
    /// `not_found` if there is no such environment or it has ended, with the reason; `permission_denied` if it belongs
    /// to another user; `registry_unusable`, `io`.
    pub fn attach(&self, id: IsolationId) -> Result<Environment> {
        self.in_checked_registry(|allocator| attach_in(&allocator.registry, id))
    }

    /// Returns the live environment that the variable `ISOLATION_ID` names.
    ///
    /// # Errors
    /// As [`attach`](Self::attach); `not_found` if the variable is not set; `invalid_id` if its value is not an
    /// isolation ID.
    pub fn attach_named(&self) -> Result<Environment> {
        match named()? {
            Some(id) => self.attach(id),
            None => Err(Error::new(
                ErrorCode::NotFound,
                format!("no environment is named: {VARIABLE} is not set"),
                "name one, or start this process with the variables of an environment, as `portalloc run` does",
            )),
        }
    }

    /// Returns the environment of this run: the live one that `ISOLATION_ID` names, else a new one as `request` says.
    /// Pass the [`variables`](Environment::variables) of a new one to the processes that should share it.
    /// [`Environment::is_attached`] tells the two cases apart.
    ///
    /// # Errors
    /// `invalid_id` if the variable's value is not an isolation ID; else as [`attach`](Self::attach) and
    /// [`create_environment`](Self::create_environment).
    pub fn current(&self, request: &EnvironmentRequest) -> Result<Environment> {
        self.current_named(named()?, request)
    }

    /// As [`current`](Self::current), with `named` in place of the variable: for languages whose threads have variables
    /// of their own.
    ///
    /// # Errors
    /// As [`current`](Self::current).
    pub fn current_named(&self, named: Option<IsolationId>, request: &EnvironmentRequest) -> Result<Environment> {
        if let Some(id) = named {
            match self.attach(id) {
                // A leftover of a run that has ended.
                Err(error) if error.code() == ErrorCode::NotFound => {}
                other => return other,
            }
        }
        self.create_environment(request)
    }
}

/// As [`Allocator::attach`], in an open registry.
pub(crate) fn attach_in(registry: &Arc<Registry>, id: IsolationId) -> Result<Environment> {
    // step: AttachRead
    let record = match registry.records().read(id)? {
        Stored::Broken(why) => return Err(not_found(id, &why)),
        stored => registry.records().require_read(id, stored)?,
    };
    let ports = registry.ports_to_look()?;
    if !status::is_surely_active(registry, &ports, &record)? {
        let status = status::judge(registry, &ports, &record, &registry.process()?)?;
        if let (true, Some(reason)) = (status.is_stale(), status.reason()) {
            return Err(not_found(id, &format!("it is stale: {reason}")));
        }
    }
    ports.close();
    Ok(Environment { registry: registry.clone(), record: *record, lease: Mutex::default(), maker: None })
}

/// The ID in the variable `ISOLATION_ID`; empty counts as not set.
pub(crate) fn named() -> Result<Option<IsolationId>> {
    let named = std::env::var_os(VARIABLE).filter(|named| !named.is_empty());
    named.map(|named| named.to_string_lossy().parse()).transpose()
}

fn not_found(id: IsolationId, why: &str) -> Error {
    Error::new(
        ErrorCode::NotFound,
        format!("no live environment {id}: {why}"),
        "see `portalloc list`, or make a new one",
    )
}
