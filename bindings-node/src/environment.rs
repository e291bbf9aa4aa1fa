//! Environments.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::ffi::Wanted;
use portalloc::registry::{Lifetime, Record};
use portalloc::{Allocator, EnvironmentRequest, ErrorCode, IsolationId, Result, Settings, ffi};

use crate::arguments::{self, Ports, Where, checked};
use crate::background::{Wait, in_background};
use crate::call;
use crate::held::{self, Held};
use crate::node_process::end_environments_at_exit;
use crate::reports::{path, time};

/// What an environment is asked for.
#[napi(object, object_to_js = false)]
pub struct EnvironmentOptions {
    pub wanted: Option<Ports>,
    pub place: Option<Where>,
    pub names: Option<Vec<String>>,
    pub instance_id: Option<String>,
    pub worktree: Option<String>,
    /// A path; without one the usual place, unless `no_env_file`.
    pub env_file: Option<String>,
    pub no_env_file: Option<bool>,
    pub kept: Option<bool>,
    pub ttl_ms: Option<f64>,
    pub owner_pid: Option<f64>,
    pub guard: Option<bool>,
    pub sticky: Option<bool>,
    pub timeout_ms: Option<f64>,
}

/// What is known of an environment, which does not change.
#[napi(object, object_from_js = false)]
pub struct EnvironmentFacts {
    pub id: String,
    pub ports: Vec<u16>,
    pub names: Vec<String>,
    pub temp_dir: String,
    pub env_file: Option<String>,
    pub worktree_path: String,
    pub instance_id: String,
    #[napi(ts_type = "'held' | 'kept'")]
    pub lifetime: &'static str,
    /// Milliseconds since 1970.
    pub created_at: f64,
    /// Milliseconds since 1970.
    pub expires_at: Option<f64>,
    /// Names and values.
    pub variables: Vec<Vec<String>>,
}

/// An environment that this process made, or found.
pub(crate) struct Shared {
    inner: Mutex<portalloc::Environment>,
    record: Record,
    is_attached: bool,
    has_ended: AtomicBool,
}

impl Shared {
    fn new(environment: portalloc::Environment) -> Self {
        let (record, is_attached) = (environment.record().clone(), environment.is_attached());
        Self { inner: Mutex::new(environment), record, is_attached, has_ended: AtomicBool::new(false) }
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Whether it ends with its maker, and this process is that.
    fn is_held_here(&self) -> bool {
        !self.is_attached && self.record.lifetime == Lifetime::Held
    }

    /// Does `work` with its lease.
    pub(crate) fn with_lease<T>(&self, work: impl FnOnce(&portalloc::Lease) -> Result<T>) -> Result<T> {
        // Not waited for: while another thread removes much, JavaScript goes on.
        match self.inner.try_lock() {
            Ok(environment) => environment.held_lease().and_then(work),
            Err(TryLockError::Poisoned(environment)) => environment.into_inner().held_lease().and_then(work),
            Err(TryLockError::WouldBlock) => Err(ffi::no_lease_now()),
        }
    }

    /// Removes one that this process made. If another thread is doing that, waits until it has. Again does nothing.
    pub(crate) fn end(&self) -> Result<()> {
        let mut environment = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.has_ended.load(Ordering::Relaxed) {
            environment.cleanup()?;
            self.has_ended.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// One that this process made by itself; an attached one in the registry's words, by `allocator`.
    fn cleanup(&self, allocator: &Allocator) -> Result<()> {
        if self.is_attached {
            return allocator.cleanup(&Cleanup::new(Selection::Id(self.record.isolation_id))).map(|_| ());
        }
        self.end()
    }
}

/// What JavaScript has of an environment. One that this process holds does not end with it.
#[napi(js_name = "Environment")]
pub struct EnvironmentHandle {
    shared: Arc<Shared>,
    /// Of one that this thread holds.
    number: Option<i64>,
}

impl EnvironmentHandle {
    fn new(env: &Env, environment: portalloc::Environment) -> Self {
        let shared = Arc::new(Shared::new(environment));
        let number = shared.is_held_here().then(|| held::keep(Held::Of(shared.clone())));
        if number.is_some() {
            end_environments_at_exit(env);
        }
        Self { shared, number }
    }
}

impl Drop for EnvironmentHandle {
    fn drop(&mut self) {
        // Until then its number is known, for whoever has its lease.
        if let Some(number) = self.number.filter(|_| self.shared.has_ended.load(Ordering::Relaxed)) {
            held::forget(number);
        }
    }
}

#[napi]
impl EnvironmentHandle {
    /// What is known of it.
    #[napi]
    pub fn facts(&self) -> EnvironmentFacts {
        let record = self.shared.record();
        EnvironmentFacts {
            id: record.isolation_id.to_string(),
            ports: record.ports.ports.clone(),
            names: record.names.clone(),
            temp_dir: path(&record.temp_dir),
            env_file: record.env_file.as_deref().map(path),
            worktree_path: path(&record.worktree_path),
            instance_id: record.instance_id.clone(),
            lifetime: record.lifetime.as_str(),
            created_at: time(record.created_at),
            expires_at: record.expires_at.map(time),
            variables: record.variables().into_iter().map(|(name, value)| vec![name, value]).collect(),
        }
    }

    /// Whether this process did not make it.
    #[napi(getter)]
    pub fn attached(&self) -> bool {
        self.shared.is_attached
    }

    /// The index of the port of this name, or of this index in digits.
    #[napi]
    pub fn index(&self, env: &Env, name: String) -> napi::Result<u32> {
        let index = checked(env, self.shared.record().index(&name))?;
        Ok(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Its variables as a text.
    #[napi]
    pub fn render(&self, env: &Env, syntax: String) -> napi::Result<String> {
        let syntax = checked(env, ffi::syntax(&syntax))?;
        Ok(portalloc::environment::render(&self.shared.record().variables(), syntax))
    }

    /// The number of its lease, while this thread holds it.
    #[napi]
    pub fn lease(&self) -> Option<i64> {
        self.number.filter(|_| !self.shared.has_ended.load(Ordering::Relaxed))
    }

    /// Removes it, on this thread.
    #[napi]
    pub fn cleanup(&self, env: &Env, place: Option<Where>) -> napi::Result<()> {
        call::here(env, &call::settings(place), |allocator| self.shared.cleanup(allocator))
    }

    /// Removes it, on another thread.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn cleanup_async<'env>(&self, env: &'env Env, place: Option<Where>) -> napi::Result<Object<'env>> {
        let allocator = call::allocator(env, &call::settings(place))?;
        let shared = self.shared.clone();
        in_background(env, move || shared.cleanup(&allocator), |_, ()| ())
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

/// Uses another process's: that of this ID, else the one that the variable names.
#[napi]
pub fn attach_environment(env: &Env, id: Option<String>, place: Option<Where>) -> napi::Result<EnvironmentHandle> {
    let environment = call::here(env, &call::settings(place), |allocator| match id {
        Some(id) => allocator.attach(id.parse()?),
        None => allocator.attach_named(),
    })?;
    Ok(EnvironmentHandle::new(env, environment))
}

/// The one of this run: that of this ID, which JavaScript found in the variable, if it lives; else a new one.
#[napi]
pub fn current_environment(
    env: &Env,
    id: Option<String>,
    options: EnvironmentOptions,
) -> napi::Result<EnvironmentHandle> {
    let (allocator, request) = opened(env, options)?;
    let found = call::without_allocator(env, || match id.as_deref().map(IsolationId::from_str).transpose()? {
        Some(id) => match allocator.attach(id) {
            // Left over from a run that has ended.
            Err(error) if error.code() == ErrorCode::NotFound => allocator.create_environment(&request),
            other => other,
        },
        None => allocator.current(&request),
    })?;
    Ok(EnvironmentHandle::new(env, found))
}

fn opened(env: &Env, options: EnvironmentOptions) -> napi::Result<(Allocator, EnvironmentRequest)> {
    call::without_allocator(env, || {
        let (settings, request) = asked(options)?;
        settings.open_for(request)
    })
}

fn asked(options: EnvironmentOptions) -> Result<(Settings, EnvironmentRequest)> {
    let env_file = match (options.env_file, options.no_env_file) {
        (Some(path), _) => EnvFile::At(PathBuf::from(path)),
        (None, Some(true)) => EnvFile::None,
        (None, _) => EnvFile::Worktree,
    };
    let mut request = EnvironmentRequest::new().env_file(env_file);
    if let Some(names) = options.names {
        request = request.names(names);
    }
    if let Some(instance_id) = options.instance_id {
        request = request.instance_id(instance_id);
    }
    if let Some(worktree) = options.worktree {
        request = request.worktree(worktree);
    }
    if options.kept == Some(true) {
        request = request.kept();
    }
    if let Some(ttl) = arguments::milliseconds(options.ttl_ms)? {
        request = request.ttl(ttl);
    }
    if let Some(pid) = options.owner_pid {
        request = request.owner_pid(arguments::process_id(pid)?);
    }
    if let Some(guard) = options.guard {
        request = request.guard(guard);
    }
    if let Some(sticky) = options.sticky {
        request = request.sticky(sticky);
    }
    if let Some(limit) = arguments::milliseconds(options.timeout_ms)? {
        request = request.wait(limit);
    }
    let request = Wanted::try_from(options.wanted.unwrap_or_default())?.of_environment(request)?;
    Ok((call::settings(options.place), request))
}
