//! Questions about ports and IDs that lease nothing.

use napi::Env;
use napi_derive::napi;
use portalloc::who::PortSummary;
use portalloc::{IsolationId, ffi};

use crate::arguments::{Where, checked, port};
use crate::call;

/// Whether a lease of this port could be had.
#[napi]
pub fn is_free(env: &Env, number: f64, place: Option<Where>) -> napi::Result<bool> {
    let port = checked(env, port(number))?;
    call::here(env, place, |allocator| allocator.is_free(port))
}

/// Who is on a port, as JSON.
#[napi]
pub fn who(env: &Env, number: f64, place: Option<Where>) -> napi::Result<String> {
    let port = checked(env, port(number))?;
    call::here(env, place, |allocator| {
        let report = allocator.who([port])?.pop().ok_or_else(|| ffi::no_port(port))?;
        ffi::json(&PortSummary::from(&report))
    })
}

/// The text, if it is an isolation ID.
#[napi]
pub fn parse_id(env: &Env, text: String) -> napi::Result<String> {
    checked(env, text.parse::<IsolationId>()).map(|id| id.to_string())
}

/// Pairs of name and value as a text.
#[napi]
pub fn render(env: &Env, variables: Vec<(String, String)>, syntax: String) -> napi::Result<String> {
    let syntax = checked(env, ffi::syntax(&syntax))?;
    Ok(portalloc::environment::render(&variables, syntax))
}

/// The version of the package.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
