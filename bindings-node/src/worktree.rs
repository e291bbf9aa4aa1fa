//! The environment of a worktree, and what one does in it: wait for its own servers, and end them and nothing else.

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use portalloc::ffi::{self, Obtain};
use portalloc::worktree::{StopOptions, StopReport};
use portalloc::{Environment, Result};

use crate::arguments::{checked, milliseconds, ports};
use crate::background::{Wait, in_background};
use crate::environment::{EnvironmentHandle, EnvironmentOptions, opened};
use crate::waits::{Ready, readiness};
use crate::{call, hold};

/// Gets that of a worktree, or makes it, on this thread; none if it is not there and not to be made.
#[napi]
pub fn worktree_environment(
    env: &Env,
    create: bool,
    repair: bool,
    options: EnvironmentOptions,
) -> napi::Result<Option<EnvironmentHandle>> {
    let obtain = checked(env, Obtain::given(create, repair))?;
    let (allocator, request) = opened(env, options)?;
    let found = call::without_allocator(env, || obtain.with(&allocator, &request))?;
    Ok(found.map(EnvironmentHandle::of_worktree))
}

/// The same on another thread.
#[napi(ts_return_type = "Promise<Environment | null>")]
pub fn worktree_environment_async<'env>(
    env: &'env Env,
    wait: &Wait,
    create: bool,
    repair: bool,
    options: EnvironmentOptions,
) -> napi::Result<Object<'env>> {
    let obtain = checked(env, Obtain::given(create, repair))?;
    let (allocator, request) = opened(env, options)?;
    let allocator = wait.watch(&allocator);
    let work = move || obtain.with(&allocator, &request);
    in_background(env, work, |_, found: Option<Environment>| found.map(EnvironmentHandle::of_worktree))
}

/// How servers are ended.
#[napi(object, object_to_js = false)]
pub struct Stop {
    pub ports: Option<Vec<f64>>,
    pub timeout_ms: Option<f64>,
    pub dry_run: Option<bool>,
}

#[napi]
impl EnvironmentHandle {
    /// Ends its servers; the report as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn stop<'env>(&self, env: &'env Env, wait: &Wait, how: Stop) -> napi::Result<Object<'env>> {
        self.ending(env, wait, how, ffi::stop)
    }

    /// Ends its servers and then itself; the report as JSON.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn down<'env>(&self, env: &'env Env, wait: &Wait, how: Stop) -> napi::Result<Object<'env>> {
        self.ending(env, wait, how, ffi::down)
    }

    fn ending<'env>(
        &self,
        env: &'env Env,
        wait: &Wait,
        how: Stop,
        end: fn(&Environment, &StopOptions, &dyn Fn() -> bool) -> Result<StopReport>,
    ) -> napi::Result<Object<'env>> {
        let options = checked(env, stop_options(how))?;
        let (environment, is_cancelled) = (self.environment.clone(), wait.is_cancelled());
        in_background(env, move || ffi::json(&end(&environment, &options, &is_cancelled)?), |_, json| json)
    }

    /// Until its own servers are on the ports; on all of its ports if there are none.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn wait_until_ours<'env>(
        &self,
        env: &'env Env,
        wait: &Wait,
        numbers: Vec<f64>,
        wait_ms: f64,
        ready: Ready,
    ) -> napi::Result<Object<'env>> {
        let ports = checked(env, ports(numbers))?;
        let limit = checked(env, ffi::milliseconds(wait_ms))?;
        let ready = checked(env, readiness(ready))?;
        let (environment, is_cancelled) = (self.environment.clone(), wait.is_cancelled());
        let work = move || ffi::wait_until_ours(&environment, &ports, &ready, limit, &is_cancelled);
        in_background(env, work, |_, ()| ())
    }

    /// Takes a hold on it, and returns its number.
    #[napi]
    pub fn hold(&self, env: &Env) -> napi::Result<i64> {
        call::without_allocator(env, || self.environment.hold()).map(hold::keep)
    }

    /// Writes its variables into a block of this file.
    #[napi]
    pub fn write_block(&self, env: &Env, path: String) -> napi::Result<()> {
        call::without_allocator(env, || self.environment.write_block(&path))
    }
}

fn stop_options(how: Stop) -> Result<StopOptions> {
    let (ports, timeout) = (how.ports.map(ports).transpose()?, milliseconds(how.timeout_ms)?);
    Ok(ffi::EndOptions { ports, dry_run: how.dry_run.unwrap_or_default(), timeout }.stop_options())
}
