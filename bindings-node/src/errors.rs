//! The core's errors on their way to `js/errors.js`, which makes the exceptions.
//!
//! Not made here: Jest runs test files in realms of their own, whose `Error` is not the one that an addon would use. So
//! what is thrown here only carries what the exception needs.

use std::error::Error as _;

use napi::bindgen_prelude::Object;
use napi::{Env, JsValue};
use napi_derive::napi;
use portalloc::{Error, ErrorCode};

/// The stable codes of all errors, in the order of the documentation.
#[napi]
pub fn error_codes() -> Vec<&'static str> {
    ErrorCode::ALL.map(ErrorCode::as_str).to_vec()
}

/// The exception for an error of the core.
pub(crate) fn thrown(env: &Env, error: &Error) -> napi::Error {
    details(env, error).map_or_else(|failure| failure, |details| details.to_unknown().into())
}

fn details<'env>(env: &'env Env, error: &Error) -> napi::Result<Object<'env>> {
    // An error object, because napi throws nothing else.
    let mut details = env.create_error(napi::Error::from_reason(error.message()))?;
    details.set("code", error.code().as_str())?;
    details.set("remedy", error.remedy())?;
    details.set("ports", error.ports().iter().map(|state| state.port).collect::<Vec<_>>())?;
    let system = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    details.set("errno", system.and_then(std::io::Error::raw_os_error))?;
    if let Some(census) = error.census() {
        let mut counts = Object::new(env)?;
        for (name, count) in census.counts() {
            counts.set(name, u32::try_from(count).unwrap_or(u32::MAX))?;
        }
        details.set("census", counts)?;
    }
    Ok(details)
}
