//! Gets the environment of a worktree, or makes it.

use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use log::debug;

use super::index::Index;
use super::key::Key;
use super::lock::lock;
use crate::allocator::Allocator;
use crate::backoff::{Backoff, Deadline};
use crate::environment::cleanup::{Locked, Selection, remove};
use crate::environment::{Environment, EnvironmentRequest, Hold, attach_in, named};
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::names::check_instance_id;
use crate::process::warn_once;
use crate::registry::{ByteLock, Lifetime, Namespace, PortsFile, Registry};
use crate::settings::Settings;
use crate::sys;

/// How long to wait for another process that makes, repairs or removes the environment of the same worktree.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest pause between two looks for an environment that another process may just be making.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How often a hold is tried on environments that are removed just then.
const HOLDS: usize = 100;

impl Allocator {
    /// Returns the environment of the request's worktree; makes it if there is none. It is kept, and sticky unless the
    /// request or the project file says otherwise. What the request says about ports and names applies when it is made; if an
    /// existing one has others, a [warning](crate::process::take_warnings) says so. Dropping the result does not end the
    /// environment.
    ///
    /// Blocks while another process makes, repairs or removes the same one, for at most 30 seconds, and then as long as the
    /// request waits for ports.
    ///
    /// # Errors
    /// As [`create_environment`](Self::create_environment); `in_use` if another process has been making, repairing or
    /// removing it all the time.
    #[track_caller]
    pub fn worktree_environment(&self, request: &EnvironmentRequest) -> Result<Environment> {
        self.obtain(request, Location::caller())
    }

    fn obtain(&self, request: &EnvironmentRequest, caller: &'static Location<'static>) -> Result<Environment> {
        let wanted = Wanted::new(request)?;
        self.in_checked_registry(|allocator| match wanted.look(&allocator.registry)? {
            Some(found) => Ok(found),
            None => wanted.obtain(allocator, caller),
        })
    }

    /// Returns the environment of the request's worktree, if there is one. Locks and changes nothing.
    ///
    /// # Errors
    /// `invalid_argument` (worktree, instance ID); `registry_unusable`, `io`.
    pub fn find_worktree_environment(&self, request: &EnvironmentRequest) -> Result<Option<Environment>> {
        let wanted = Wanted::new(request)?;
        self.in_checked_registry(|allocator| wanted.find(&allocator.registry))
    }

    /// As [`worktree_environment`](Self::worktree_environment), with a [hold](Environment::hold) on it, so that it is not
    /// removed any more.
    ///
    /// # Errors
    /// As [`worktree_environment`](Self::worktree_environment) and [`Environment::hold`].
    #[track_caller]
    pub fn hold_worktree_environment(&self, request: &EnvironmentRequest) -> Result<(Environment, Hold)> {
        let caller = Location::caller();
        hold_what_lives(|| self.obtain(request, caller))
    }
}

/// The same without an open allocator. An environment that exists needs none: this saves reading the kernel's port
/// ranges, which only matter when ports are taken.
impl Settings {
    /// As [`Allocator::worktree_environment`], with the project file of the worktree.
    ///
    /// # Errors
    /// As [`open_for`](Self::open_for) and [`Allocator::worktree_environment`].
    #[track_caller]
    pub fn worktree_environment(self, request: EnvironmentRequest) -> Result<Environment> {
        let caller = Location::caller();
        let (settings, request) = self.with_project(request)?;
        settings.obtain(&request, caller)
    }

    /// As [`Allocator::find_worktree_environment`], with the project file of the worktree.
    ///
    /// # Errors
    /// As [`open_for`](Self::open_for) and [`Allocator::find_worktree_environment`].
    pub fn find_worktree_environment(self, request: EnvironmentRequest) -> Result<Option<Environment>> {
        let (settings, request) = self.with_project(request)?;
        let wanted = Wanted::new(&request)?;
        settings.registry()?.reopening(|registry| wanted.find(registry))
    }

    /// Returns the environment that a process in the request's worktree works in, if there is one: the living one that
    /// `ISOLATION_ID` names, if it is of that worktree, such as the one of a `portalloc run`; else as
    /// [`find_worktree_environment`](Self::find_worktree_environment). A request with an instance ID means that one only.
    /// Waits for up to `limit` until there is one: another process may just be making it.
    ///
    /// # Errors
    /// As [`find_worktree_environment`](Self::find_worktree_environment).
    pub fn find_current_environment(self, request: EnvironmentRequest, limit: Duration) -> Result<Option<Environment>> {
        let (settings, request) = self.with_project(request)?;
        let wanted = Wanted::new(&request)?;
        // Text that is no ID names no environment.
        let named = named().unwrap_or_default();
        let mut backoff = Backoff::growing(Deadline::new(limit), LONGEST_PAUSE);
        loop {
            let found = settings.registry()?.reopening(|registry| {
                match named.map_or(Ok(None), |id| wanted.named(registry, id))? {
                    Some(current) => Ok(Some(current)),
                    None => wanted.find(registry),
                }
            })?;
            let failed = |error| Error::os("cannot wait for the environment of a worktree", error);
            if found.is_some() || !backoff.wait().map_err(failed)? {
                return Ok(found);
            }
        }
    }

    /// As [`Allocator::hold_worktree_environment`], with the project file of the worktree.
    ///
    /// # Errors
    /// As [`open_for`](Self::open_for) and [`Allocator::hold_worktree_environment`].
    #[track_caller]
    pub fn hold_worktree_environment(self, request: EnvironmentRequest) -> Result<(Environment, Hold)> {
        let caller = Location::caller();
        let (settings, request) = self.with_project(request)?;
        hold_what_lives(|| settings.obtain(&request, caller))
    }

    fn obtain(&self, request: &EnvironmentRequest, caller: &'static Location<'static>) -> Result<Environment> {
        let wanted = Wanted::new(request)?;
        match self.registry()?.reopening(|registry| wanted.look(registry))? {
            Some(found) => Ok(found),
            None => self.clone().open()?.obtain(request, caller),
        }
    }

    fn registry(&self) -> Result<Arc<Registry>> {
        let directory = self.clone().in_force().directory.value;
        Ok(Arc::new(Registry::open_for(directory, Namespace::current()?)?))
    }
}

/// Takes a hold on an environment, and on another one if that was removed in the meantime.
fn hold_what_lives(obtain: impl Fn() -> Result<Environment>) -> Result<(Environment, Hold)> {
    let mut tries = 1..=HOLDS;
    loop {
        let environment = obtain()?;
        match environment.hold() {
            Err(error) if error.code() == ErrorCode::NotFound && tries.next().is_some() => {}
            held => return held.map(|hold| (environment, hold)),
        }
    }
}

/// Which environment is asked for.
pub(super) struct Wanted {
    pub(super) request: EnvironmentRequest,
    pub(super) key: Key,
}

/// What there is.
pub(super) enum State {
    /// None. A dead one may have left these files with managed blocks.
    None { blocks: Vec<PathBuf> },
    /// A living environment.
    Living(Box<Environment>),
    /// A repair has not ended: its process works on it, or has died.
    Moving(Index),
}

impl Wanted {
    pub(super) fn new(request: &EnvironmentRequest) -> Result<Self> {
        check_instance_id(request.instance())?;
        let worktree = request.place_of_work()?;
        let request = request.of_worktree(&worktree);
        let key = Key::new(&worktree, sys::user_id(), request.instance());
        Ok(Self { request, key })
    }

    /// The environment, if nothing is to be done about it.
    fn look(&self, registry: &Arc<Registry>) -> Result<Option<Environment>> {
        Ok(match State::read(registry, &self.key)? {
            State::Living(found) if found.has_temp_dir()? => Some(self.checked(*found)?),
            _ => None,
        })
    }

    /// The environment, whatever is to be done about it.
    fn find(&self, registry: &Arc<Registry>) -> Result<Option<Environment>> {
        Ok(match State::read(registry, &self.key)? {
            State::Living(found) => Some(self.checked(*found)?),
            State::Moving(index) => match living(registry, &self.key, index.id)? {
                Some(moved) => Some(self.as_declared(moved)),
                None => index
                    .before
                    .map_or(Ok(None), |id| living(registry, &self.key, id))?
                    .map(|found| self.as_declared(found)),
            },
            State::None { .. } => None,
        })
    }

    /// The living environment with this ID, if it is of the worktree, and of the instance that the request names.
    fn named(&self, registry: &Arc<Registry>, id: IsolationId) -> Result<Option<Environment>> {
        let found = match attach_in(registry, id) {
            Err(error) if error.code() == ErrorCode::NotFound || error.other_user().is_some() => return Ok(None),
            other => other?,
        };
        let record = found.record();
        let is_instance = self.key.instance.is_empty() || record.instance_id == self.key.instance;
        Ok((record.worktree_path == self.key.worktree && is_instance).then_some(found))
    }

    fn obtain(&self, allocator: &Allocator, caller: &'static Location<'static>) -> Result<Environment> {
        let ports = allocator.registry.ports()?;
        let _lock = match self.lock(allocator, &ports, || self.look(&allocator.registry))? {
            Ok(lock) => lock,
            Err(made_meanwhile) => return Ok(made_meanwhile),
        };
        match self.settled(allocator)? {
            State::Living(found) => {
                found.make_temp_dir_again(&allocator.registry)?;
                self.checked(*found)
            }
            State::Moving(index) => match living(&allocator.registry, &self.key, index.id)? {
                Some(found) => self.checked(found),
                None => Err(Error::registry_gone()),
            },
            State::None { blocks } => self.make(allocator, None, &blocks, caller),
        }
    }

    /// Locks the worktree. What `look` returns ends the wait.
    pub(super) fn lock<'a, T>(
        &self,
        allocator: &Allocator,
        ports: &'a PortsFile,
        look: impl Fn() -> Result<Option<T>>,
    ) -> Result<std::result::Result<ByteLock<'a>, T>> {
        lock(&allocator.registry, ports, &self.key, PATIENCE, || {
            if allocator.is_cancelled() {
                return Err(Error::new(
                    ErrorCode::Timeout,
                    format!("the wait for the environment of {} was cancelled", self.key.worktree.display()),
                    "ask for it again if you need it",
                ));
            }
            look()
        })
    }

    /// What there is, after ending a repair whose process has died. The caller has the worktree's lock.
    pub(super) fn settled(&self, allocator: &Allocator) -> Result<State> {
        let index = match State::read(&allocator.registry, &self.key)? {
            State::Moving(index) => index,
            other => return Ok(other),
        };
        let (registry, key) = (&allocator.registry, &self.key);
        let moved = living(&allocator.registry, key, index.id)?.is_some();
        if let Some(before) = index.before {
            if moved && living(&allocator.registry, key, before)?.is_some() {
                let locked = Locked { worktree: true, ..Locked::default() };
                if let Err(error) = remove(registry, before, &Selection::Id(before), None, locked) {
                    debug!("the environment {before}, which {} has replaced, is left: {error}", index.id);
                    return Ok(State::Moving(index));
                }
            }
            let id = if moved { index.id } else { before };
            if let Some(its) = living(registry, key, id)? {
                its.rewrite_blocks(&index.blocks);
            }
            Index { id, before: None, blocks: index.blocks }.write(registry, key)?;
        }
        State::read(&allocator.registry, key)
    }

    /// Makes the environment. The caller has the worktree's lock.
    pub(super) fn make(
        &self,
        allocator: &Allocator,
        before: Option<IsolationId>,
        blocks: &[PathBuf],
        caller: &'static Location<'static>,
    ) -> Result<Environment> {
        let (registry, key) = (&allocator.registry, &self.key);
        // The time in which another process had the lock does not count.
        let made = allocator.create(&self.request, Instant::now(), caller, |record| {
            Index { id: record.isolation_id, before, blocks: blocks.to_vec() }.write(registry, key)
        });
        if let Ok(made) = &made {
            made.rewrite_blocks(blocks);
        }
        if made.is_err() && before.is_none() && blocks.is_empty() {
            // Nothing is lost if it stays: it names no environment.
            let _ = Index::remove(registry, key);
        }
        made
    }

    /// Warns if the environment is not what the request describes.
    fn checked(&self, found: Environment) -> Result<Environment> {
        if let Some(difference) = self.request.difference(found.record())? {
            let worktree = self.key.worktree.display();
            let text = format!(
                "the environment {} of {worktree} {difference}: it stays as it is; `portalloc env --repair` makes another",
                found.id()
            );
            warn_once("worktree_differs", &text, &*text);
        }
        Ok(self.as_declared(found))
    }

    /// The environment with the variables that the project file declares now, not those that it declared when the
    /// environment was made.
    pub(super) fn as_declared(&self, found: Environment) -> Environment {
        match self.request.env_for(found.record()) {
            Some(env) => found.with_env(env),
            None => found,
        }
    }
}

impl State {
    pub(super) fn read(registry: &Arc<Registry>, key: &Key) -> Result<Self> {
        let Some(index) = Index::read(registry, key)? else { return Ok(Self::None { blocks: Vec::new() }) };
        if index.before.is_some() {
            return Ok(Self::Moving(index));
        }
        Ok(match living(registry, key, index.id)? {
            Some(found) => Self::Living(Box::new(found)),
            None => Self::None { blocks: index.blocks },
        })
    }
}

/// The environment of this ID, if it is finished, alive, and the key's.
fn living(registry: &Arc<Registry>, key: &Key, id: IsolationId) -> Result<Option<Environment>> {
    let found = match attach_in(registry, id) {
        Err(error) if error.code() == ErrorCode::NotFound || error.other_user().is_some() => return Ok(None),
        other => other?,
    };
    let record = found.record();
    let is_its = record.lifetime == Lifetime::Kept
        && !record.is_unfinished
        && record.worktree_path == key.worktree
        && record.instance_id == key.instance;
    Ok(is_its.then_some(found))
}
