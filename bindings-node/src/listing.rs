//! What is in the registry: listing, checking and removing it; and the settings of calls.

use napi::Env;
use napi_derive::napi;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::ListingSummary;
use portalloc::{Allocator, SettingsSummary, doctor, ffi};

use crate::arguments::{self, Where};
use crate::call;

/// All environments and leases, as JSON.
#[napi]
pub fn list(env: &Env, place: Option<Where>) -> napi::Result<String> {
    call::here(env, place, |allocator| ffi::json(&ListingSummary::from(allocator.list()?)))
}

/// The registry and the pool that calls from the current directory use, as JSON.
#[napi]
pub fn settings(env: &Env, place: Option<Where>) -> napi::Result<String> {
    call::here(env, place, |allocator| ffi::json(&SettingsSummary::of(allocator)?))
}

/// Whether portalloc keeps its promises here, as JSON; also whether a lease of `count` ports would be granted.
#[napi(js_name = "doctor")]
pub fn examine(env: &Env, count: Option<f64>, place: Option<Where>) -> napi::Result<String> {
    call::without_allocator(env, || {
        let count = count.map(arguments::count).transpose()?;
        ffi::json(&doctor::examine(arguments::settings(place), count))
    })
}

/// Checks an environment; the result as JSON.
#[napi]
pub fn validate(env: &Env, id: String, place: Option<Where>) -> napi::Result<String> {
    call::here(env, place, |allocator| ffi::json(&allocator.validate(id.parse()?)?))
}

/// Removes an environment, and says whether there was one.
#[napi]
pub fn cleanup(env: &Env, id: String, place: Option<Where>) -> napi::Result<bool> {
    call::here(env, place, |allocator| Ok(!remove(allocator, Selection::Id(id.parse()?))?.is_empty()))
}

/// Removes stale environments, and returns their IDs.
#[napi]
pub fn cleanup_stale(env: &Env, place: Option<Where>) -> napi::Result<Vec<String>> {
    call::here(env, place, |allocator| remove(allocator, Selection::Stale))
}

fn remove(allocator: &Allocator, selection: Selection) -> portalloc::Result<Vec<String>> {
    let report = allocator.cleanup(&Cleanup::new(selection))?.strict()?;
    Ok(report.removed.into_iter().map(|removed| removed.id.to_string()).collect())
}
