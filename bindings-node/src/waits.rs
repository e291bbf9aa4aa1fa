//! Waiting for ports that somebody else has.

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use portalloc::ffi;

use crate::arguments::{Where, checked, ports};
use crate::background::{Wait, in_background};
use crate::call;

/// Until servers accept connections on the ports.
#[napi(ts_return_type = "Promise<void>")]
pub fn wait_for<'env>(
    env: &'env Env,
    wait: &Wait,
    numbers: Vec<f64>,
    timeout_ms: f64,
    place: Option<Where>,
) -> napi::Result<Object<'env>> {
    let ports = checked(env, ports(numbers))?;
    let limit = checked(env, ffi::milliseconds(timeout_ms))?;
    let allocator = wait.watch(&call::allocator(env, &call::settings(place))?);
    in_background(env, move || allocator.wait_until_open(&ports, limit), |_, ()| ())
}

/// Until nothing is bound to the ports.
#[napi(ts_return_type = "Promise<void>")]
pub fn wait_until_free<'env>(
    env: &'env Env,
    wait: &Wait,
    numbers: Vec<f64>,
    timeout_ms: f64,
    place: Option<Where>,
) -> napi::Result<Object<'env>> {
    let ports = checked(env, ports(numbers))?;
    let limit = checked(env, ffi::milliseconds(timeout_ms))?;
    let allocator = wait.watch(&call::allocator(env, &call::settings(place))?);
    in_background(env, move || allocator.wait_until_free(&ports, limit), |_, ()| ())
}
