//! Moves the environment of a worktree to other ports, if the project file declares others by now.
//!
//! The order survives a kill at any point. The index names the new environment, and the old one as the one before, ere
//! the new one is finished: until then the old one is the worktree's. From then on the new one is, and whoever asks next
//! removes the old one.

use std::convert::Infallible;
use std::panic::Location;

use super::index::Index;
use super::obtain::{State, Wanted};
use crate::allocator::Allocator;
use crate::environment::cleanup::{Locked, Selection, remove, used};
use crate::environment::{Environment, EnvironmentRequest};
use crate::error::{Error, Result};
use crate::registry::environment_byte;

impl Allocator {
    /// Moves the environment of the request's worktree to other ports if it has other names or another number of ports than
    /// the request; otherwise changes nothing: [`Environment::is_attached`] tells. Makes the environment if there is none.
    ///
    /// # Errors
    /// As [`worktree_environment`](Self::worktree_environment); `in_use` if a command that has a
    /// [hold](Environment::hold) on it runs.
    #[track_caller]
    pub fn repair_worktree_environment(&self, request: &EnvironmentRequest) -> Result<Environment> {
        let (caller, wanted) = (Location::caller(), Wanted::new(request)?);
        self.in_checked_registry(|allocator| repair(allocator, &wanted, caller))
    }
}

fn repair(allocator: &Allocator, wanted: &Wanted, caller: &'static Location<'static>) -> Result<Environment> {
    let registry = &allocator.registry;
    let ports = registry.ports()?;
    let Ok(_lock) = wanted.lock(allocator, &ports, || Ok(None::<Infallible>))?;
    let old = match wanted.settled(allocator)? {
        State::Living(old) => *old,
        State::None { blocks } => return wanted.make(allocator, None, &blocks, caller),
        State::Moving(_) => return Err(Error::registry_gone()),
    };
    let id = old.id();
    if wanted.request.difference(old.record())?.is_none() {
        return Ok(old);
    }
    // Nobody begins to use it from here on.
    let Some(_environment) = ports.try_lock_byte(environment_byte(id))? else { return Err(used(registry, id)) };
    let blocks = Index::read(registry, &wanted.key)?.map(|index| index.blocks).unwrap_or_default();
    let new = wanted.make(allocator, Some(id), &blocks, caller)?;
    remove(registry, id, &Selection::Id(id), None, Locked { worktree: true, environment: true })?;
    Index { id: new.id(), before: None, blocks }.write(registry, &wanted.key)?;
    Ok(new)
}
