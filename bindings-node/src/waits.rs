//! Waiting for ports that another process uses.

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use portalloc::{Allocator, Result, ffi};

use crate::arguments::{Where, checked, ports};
use crate::background::{Wait, in_background};
use crate::call;

/// Until servers accept connections on the ports.
#[napi(ts_return_type = "Promise<void>")]
pub fn wait_until_open<'env>(
    env: &'env Env,
    wait: &Wait,
    numbers: Vec<f64>,
    wait_ms: f64,
    place: Option<Where>,
) -> napi::Result<Object<'env>> {
    waiting(env, wait, numbers, wait_ms, place, Allocator::wait_until_open)
}

/// Until nothing is bound to the ports.
#[napi(ts_return_type = "Promise<void>")]
pub fn wait_until_free<'env>(
    env: &'env Env,
    wait: &Wait,
    numbers: Vec<f64>,
    wait_ms: f64,
    place: Option<Where>,
) -> napi::Result<Object<'env>> {
    waiting(env, wait, numbers, wait_ms, place, Allocator::wait_until_free)
}

fn waiting<'env>(
    env: &'env Env,
    wait: &Wait,
    numbers: Vec<f64>,
    wait_ms: f64,
    place: Option<Where>,
    until: fn(&Allocator, &[u16], Duration) -> Result<()>,
) -> napi::Result<Object<'env>> {
    let ports = checked(env, ports(numbers))?;
    let limit = checked(env, ffi::milliseconds(wait_ms))?;
    let allocator = wait.watch(&call::allocator(env, place)?);
    in_background(env, move || until(&allocator, &ports, limit), |_, ()| ())
}
