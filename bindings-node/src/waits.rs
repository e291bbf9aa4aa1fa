//! Waiting for ports that another process uses.

use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use portalloc::{Allocator, Readiness, Result, ffi};

use crate::arguments::{self, Where, checked, ports};
use crate::background::{Wait, in_background};
use crate::call;

/// When a server counts as ready.
#[napi(object, object_to_js = false)]
pub struct Ready {
    pub http: Option<String>,
    pub status: Option<f64>,
}

pub(crate) fn readiness(ready: Ready) -> Result<Readiness> {
    let status = ready.status.map(arguments::status).transpose()?;
    ffi::ReadinessOptions { http: ready.http, status }.readiness()
}

/// Until servers on the ports accept connections, or answer as they must.
#[napi(ts_return_type = "Promise<void>")]
pub fn wait_until_open<'env>(
    env: &'env Env,
    wait: &Wait,
    numbers: Vec<f64>,
    wait_ms: f64,
    ready: Ready,
    place: Option<Where>,
) -> napi::Result<Object<'env>> {
    let readiness = checked(env, readiness(ready))?;
    let until = move |allocator: &Allocator, ports: &[u16], limit| allocator.wait_until_ready(ports, &readiness, limit);
    waiting(env, wait, numbers, wait_ms, place, until)
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
    until: impl FnOnce(&Allocator, &[u16], Duration) -> Result<()> + Send + 'static,
) -> napi::Result<Object<'env>> {
    let ports = checked(env, ports(numbers))?;
    let limit = checked(env, ffi::milliseconds(wait_ms))?;
    let allocator = wait.watch(&call::allocator(env, place)?);
    in_background(env, move || until(&allocator, &ports, limit), |_, ()| ())
}
