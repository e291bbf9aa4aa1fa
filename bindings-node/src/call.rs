//! How a call gets to the core: with the allocator for its settings, behind a border that no panic gets past. And how it
//! gets back: with what the core has to warn of, and its error.

use napi::Env;
use portalloc::ffi::{Allocators, no_panic};
use portalloc::{Allocator, Result, Settings};

use crate::arguments::Where;
use crate::errors::thrown;
use crate::node_process::tell_warnings;

/// What stays open between calls, for all threads of the process.
static ALLOCATORS: Allocators = Allocators::new();

/// The settings of a call that names them, or whose realm has variables that the process does not have.
pub(crate) fn settings(place: Option<Where>) -> Settings {
    let Where { directory, pool, exclude } = place.unwrap_or_default();
    let mut settings = Settings::new();
    if let Some(directory) = directory {
        settings = settings.directory(directory);
    }
    if let Some(pool) = pool {
        settings = settings.pool(pool);
    }
    if let Some(exclude) = exclude {
        settings = settings.exclude(exclude);
    }
    settings
}

/// A call on JavaScript's own thread, which stands still meanwhile.
pub(crate) fn here<T>(env: &Env, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> napi::Result<T> {
    without_allocator(env, || ALLOCATORS.with(settings, work))
}

/// The same for what needs no allocator.
pub(crate) fn without_allocator<T>(env: &Env, work: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    done(env, no_panic(work))
}

/// Back on JavaScript's thread, with what a call came to.
pub(crate) fn done<T>(env: &Env, came_to: Result<T>) -> napi::Result<T> {
    tell_warnings(env);
    came_to.map_err(|error| thrown(env, &error))
}

/// The allocator for a call that is made on another thread. Looked up on JavaScript's thread, the one that may write the
/// process's variables.
pub(crate) fn allocator(env: &Env, settings: &Settings) -> napi::Result<Allocator> {
    here(env, settings, |allocator| Ok(allocator.clone()))
}
