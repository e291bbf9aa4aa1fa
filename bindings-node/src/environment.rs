//! Environments.

use std::path::PathBuf;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Either, Object};
use napi_derive::napi;
use portalloc::environment::EnvFile;
use portalloc::{Allocator, EnvironmentRequest, ffi};

use crate::arguments::{self, Ports, Where, checked, milliseconds};
use crate::background::{Wait, in_background};
use crate::call;
use crate::held::{self, Held};
use crate::node_process::end_environments_at_exit;

/// What an environment is asked for.
#[napi(object, object_to_js = false)]
pub struct EnvironmentOptions {
    pub wanted: Option<Ports>,
    pub place: Option<Where>,
    pub names: Option<Vec<String>>,
    pub instance_id: Option<String>,
    pub worktree: Option<String>,
    /// `true` for the usual place in the worktree, or a path.
    pub env_file: Option<Either<bool, String>>,
    pub kept: Option<bool>,
    pub ttl_ms: Option<f64>,
    pub owner_pid: Option<f64>,
    pub guard: Option<bool>,
    pub sticky: Option<bool>,
    pub prefer: Option<Vec<f64>>,
    pub wait_ms: Option<f64>,
    /// The line that calls.
    pub at: Option<String>,
}

/// JavaScript's handle of an environment. One that this thread holds does not end with it.
#[napi(js_name = "Environment")]
pub struct EnvironmentHandle {
    pub(crate) environment: Arc<portalloc::Environment>,
    /// Of one that this thread holds.
    number: Option<i64>,
    /// Whether it is a worktree's, which a `using` block leaves as it is.
    stays: bool,
}

impl EnvironmentHandle {
    fn new(env: &Env, environment: portalloc::Environment) -> Self {
        let environment = Arc::new(environment);
        let number = environment.lease().map(|lease| held::keep(Held::Of(environment.clone(), lease)));
        if number.is_some() {
            end_environments_at_exit(env);
        }
        Self { environment, number, stays: false }
    }

    pub(crate) fn of_worktree(environment: portalloc::Environment) -> Self {
        Self { environment: Arc::new(environment), number: None, stays: true }
    }
}

#[napi]
impl EnvironmentHandle {
    /// Its record, as JSON.
    #[napi]
    pub fn record(&self, env: &Env) -> napi::Result<String> {
        checked(env, ffi::json(self.environment.record()))
    }

    /// Names and values.
    #[napi]
    pub fn variables(&self) -> Vec<(String, String)> {
        self.environment.variables()
    }

    /// Whether this process did not make it, or made it for its worktree.
    #[napi(getter)]
    pub fn attached(&self) -> bool {
        self.stays || self.environment.is_attached()
    }

    /// The index of the port of this name, or of this index in digits.
    #[napi]
    pub fn index(&self, env: &Env, name: String) -> napi::Result<u32> {
        let index = checked(env, self.environment.record().index(&name))?;
        Ok(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// The number of its lease, while this thread holds it.
    #[napi]
    pub fn lease(&self) -> Option<i64> {
        self.number.filter(|number| held::get(*number).is_some())
    }

    /// Removes it, on this thread.
    #[napi]
    pub fn cleanup(&self, env: &Env) -> napi::Result<()> {
        call::without_allocator(env, || self.environment.cleanup())?;
        self.number.into_iter().for_each(held::forget_released);
        Ok(())
    }

    /// Removes it, on another thread.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn cleanup_async<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let (environment, number) = (self.environment.clone(), self.number);
        let forget = move |_: &Env, ()| number.into_iter().for_each(held::forget_released);
        in_background(env, move || environment.cleanup(), forget)
    }
}

/// Makes one, on this thread.
#[napi]
pub fn create_environment(env: &Env, options: EnvironmentOptions) -> napi::Result<EnvironmentHandle> {
    let (allocator, request) = opened(env, options)?;
    let environment = call::without_allocator(env, || allocator.create_environment(&request))?;
    Ok(EnvironmentHandle::new(env, environment))
}

/// Makes one, on another thread.
#[napi(ts_return_type = "Promise<Environment>")]
pub fn create_environment_async<'env>(
    env: &'env Env,
    wait: &Wait,
    options: EnvironmentOptions,
) -> napi::Result<Object<'env>> {
    let (allocator, request) = opened(env, options)?;
    let allocator = wait.watch(&allocator);
    in_background(env, move || allocator.create_environment(&request), EnvironmentHandle::new)
}

/// Attaches to the one with this ID, else to the one that the variable names.
#[napi]
pub fn attach_environment(env: &Env, id: Option<String>, place: Option<Where>) -> napi::Result<EnvironmentHandle> {
    let environment = call::here(env, place, |allocator| match id {
        Some(id) => allocator.attach(id.parse()?),
        None => allocator.attach_named(),
    })?;
    Ok(EnvironmentHandle::new(env, environment))
}

/// The one of this run: that with this ID, which JavaScript found in the variable, if it lives; else a new one.
#[napi]
pub fn current_environment(
    env: &Env,
    id: Option<String>,
    options: EnvironmentOptions,
) -> napi::Result<EnvironmentHandle> {
    let (allocator, request) = opened(env, options)?;
    let environment = call::without_allocator(env, || match id {
        Some(id) => allocator.current_named(Some(id.parse()?), &request),
        None => allocator.current(&request),
    })?;
    Ok(EnvironmentHandle::new(env, environment))
}

pub(crate) fn opened(env: &Env, options: EnvironmentOptions) -> napi::Result<(Allocator, EnvironmentRequest)> {
    call::without_allocator(env, || {
        let request = ffi::EnvironmentOptions {
            ports: options.wanted.unwrap_or_default().try_into()?,
            names: options.names,
            instance_id: options.instance_id,
            worktree: options.worktree.map(PathBuf::from),
            env_file: options.env_file.map(|given| match given {
                Either::A(true) => EnvFile::Worktree,
                Either::A(false) => EnvFile::None,
                Either::B(path) => EnvFile::At(path.into()),
            }),
            kept: options.kept.unwrap_or_default(),
            ttl: milliseconds(options.ttl_ms)?,
            owner_pid: options.owner_pid.map(arguments::process_id).transpose()?,
            guard: options.guard,
            sticky: options.sticky,
            prefer: options.prefer.map(arguments::ports).transpose()?,
            wait: milliseconds(options.wait_ms)?,
            place: options.at,
        };
        arguments::settings(options.place).open_for(request.request()?)
    })
}
