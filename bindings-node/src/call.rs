//! How a call reaches the core: with the allocator for its settings, behind a barrier that stops panics. And how it returns:
//! with the core's warnings, and its error.

use napi::Env;
use portalloc::ffi::{Allocators, no_panic};
use portalloc::{Allocator, Result};

use crate::arguments::{Where, settings};
use crate::errors::thrown;
use crate::node_process::emit_warnings;

/// Allocators that stay open between calls, for all threads of the process.
static ALLOCATORS: Allocators = Allocators::new();

/// A call on JavaScript's own thread, which stands still meanwhile.
pub(crate) fn here<T>(env: &Env, place: Option<Where>, work: impl FnOnce(&Allocator) -> Result<T>) -> napi::Result<T> {
    without_allocator(env, || ALLOCATORS.with(&settings(place), work))
}

/// The same for a call that needs no allocator.
pub(crate) fn without_allocator<T>(env: &Env, work: impl FnOnce() -> Result<T>) -> napi::Result<T> {
    done(env, no_panic(work))
}

/// The end of a call, on JavaScript's thread.
pub(crate) fn done<T>(env: &Env, result: Result<T>) -> napi::Result<T> {
    emit_warnings(env);
    result.map_err(|error| thrown(env, &error))
}

/// The allocator for a call on another thread. Looked up on JavaScript's thread, the one that may write the process's
/// variables.
pub(crate) fn allocator(env: &Env, place: Option<Where>) -> napi::Result<Allocator> {
    here(env, place, |allocator| Ok(allocator.clone()))
}
