//! Moves the environment of a worktree to other ports, if a foreign process has taken one of them, or if the project file
//! declares others by now. Does not say whose a process is: `ours` does.
//!
//! The order survives a kill at any point. The index names the new environment, and the old one as the one before, ere
//! the new one is finished: until then the old one is the worktree's. From then on the new one is, and whoever asks next
//! removes the old one.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::Location;

use super::facts::{Sight, holds_port};
use super::index::Index;
use super::obtain::{State, Wanted};
use super::ours::Verdict;
use crate::allocator::Allocator;
use crate::environment::cleanup::{Locked, Selection, remove, used};
use crate::environment::{Environment, EnvironmentRequest};
use crate::error::{Error, ErrorCode, Result};
use crate::registry::environment_byte;

impl Allocator {
    /// Moves the environment of the request's worktree to other ports if a process that is not the environment's, or that
    /// cannot be inspected, listens on one of them or has bound it (see [`Environment::stop`] for whose a process is), or if
    /// it has other names or another number of ports than the request. Otherwise changes nothing:
    /// [`Environment::is_attached`] tells. Makes the environment if there is none. A request without names and numbers gets
    /// as many ports as there were, by the same names.
    ///
    /// # Errors
    /// As [`worktree_environment`](Self::worktree_environment); `in_use` if one of its own servers is still on the ports
    /// that it would leave, or if a command that has a [hold](Environment::hold) on it runs.
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
    let users = Users::of(&old)?;
    if !users.has_foreign && wanted.request.difference(old.record())?.is_none() {
        return Ok(wanted.as_declared(old));
    }
    users.leave(&old)?;
    // Nobody begins to use it from here on.
    let Some(_environment) = ports.try_lock_byte(environment_byte(id))? else { return Err(used(registry, id)) };
    let blocks = Index::read(registry, &wanted.key)?.map(|index| index.blocks).unwrap_or_default();
    let like_it = Wanted { request: wanted.request.in_place_of(old.record()), key: wanted.key.clone() };
    let new = like_it.make(allocator, Some(id), &blocks, caller)?;
    remove(registry, id, &Selection::Id(id), None, Locked { worktree: true, environment: true })?;
    Index { id: new.id(), before: None, blocks }.write(registry, &wanted.key)?;
    Ok(new)
}

/// Who is on the ports of an environment.
struct Users {
    /// Whether somebody else is, or may be.
    has_foreign: bool,
    /// The environment's own processes, as in "PID 7 (node) in /home/me/project", with a port of each.
    own: BTreeMap<String, u16>,
}

impl Users {
    fn of(environment: &Environment) -> Result<Self> {
        let sight = Sight::of(environment);
        let scene = sight.look(&environment.ports().iter().copied().collect(), holds_port)?;
        let mut users = Self { has_foreign: !scene.hidden.is_empty(), own: BTreeMap::new() };
        for socket in &scene.sockets {
            let seats: Vec<_> = scene.seats.values().filter(|seat| seat.sockets.contains(&socket.inode)).collect();
            let is_own = |pid: u32| matches!(scene.people.judge(pid, &sight.whose), Verdict::Ours(_));
            let own = seats.iter().filter(|seat| is_own(seat.pid));
            let told: Vec<_> = own.map(|seat| (scene.people.told(seat.pid), socket.local.port())).collect();
            // Several processes may share a socket, such as a server and whoever has started it. One whose process has just
            // ended is nobody's.
            users.has_foreign |= told.is_empty() && !seats.is_empty();
            users.own.extend(told);
        }
        Ok(users)
    }

    /// Fails while the environment's own servers are on the ports: they would go on there, where others may be by then.
    fn leave(&self, environment: &Environment) -> Result<()> {
        if self.own.is_empty() {
            return Ok(());
        }
        let told: Vec<_> = self.own.iter().map(|(who, port)| format!("{who} on port {port}")).collect();
        Err(Error::new(
            ErrorCode::InUse,
            format!("the environment {} cannot move while its servers run: {}", environment.id(), told.join(", ")),
            "end them first: `portalloc stop`",
        ))
    }
}
