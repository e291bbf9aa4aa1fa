//! Checking one environment.

use napi::Env;
use napi_derive::napi;
use portalloc::IsolationId;

use crate::arguments::{Where, checked};
use crate::call;

/// What a check of an environment found.
#[napi(object, object_from_js = false)]
pub struct Validation {
    pub valid: bool,
    pub checks: Vec<PartCheck>,
    pub ports: Vec<PortCheck>,
}

/// A part of an environment.
#[napi(object, object_from_js = false)]
pub struct PartCheck {
    #[napi(ts_type = "'record' | 'temp_dir' | 'env_file' | 'lease'")]
    pub name: &'static str,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// A port of an environment.
#[napi(object, object_from_js = false)]
pub struct PortCheck {
    pub port: u16,
    pub in_use: bool,
}

/// Checks an environment.
#[napi]
pub fn validate(env: &Env, id: String, place: Option<Where>) -> napi::Result<Validation> {
    let id: IsolationId = checked(env, id.parse())?;
    let found = call::here(env, &call::settings(place), |allocator| allocator.validate(id))?;
    Ok(Validation {
        valid: found.is_valid(),
        checks: found.checks.into_iter().map(|check| PartCheck { name: check.name, failure: check.failure }).collect(),
        ports: found.ports.into_iter().map(|port| PortCheck { port: port.port, in_use: port.in_use }).collect(),
    })
}
