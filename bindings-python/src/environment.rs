//! Environments.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::SystemTime;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::ffi::{Maker, Wanted};
use portalloc::registry::Record;
use portalloc::{EnvironmentRequest, Settings, ffi};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{Count, EnvFilePlace, Names, Offsets, PortName, Ports, ProcessId, Seconds, wanted};
use crate::call::{self, Interrupt};
use crate::errors::raised;
use crate::lease::Lease;
use crate::origin::Origin;
use crate::reports::time;
use crate::typed::{self, Typed};

/// An isolation ID with a lease, a temp dir, an env file and variables around it, made and removed as one. Make one with
/// `create` or `current`, or use another process's with `attach`.
///
/// A *held* one lives as long as this object: `cleanup`, leaving its `with` block, or being garbage-collected (with a
/// `PortallocWarning` that names the line where it was made) removes it, and the end of the process, however it comes, ends
/// it. A *kept* one outlives the process, until a cleanup, its TTL or the end of its owner. Any thread may use it. A forked
/// child can read its copy and cannot end it.
#[pyclass(frozen, module = "portalloc")]
pub(crate) struct Environment {
    inner: Mutex<portalloc::Environment>,
    record: Record,
    /// What belongs to whoever made it; none of an attached one.
    made: Option<Made>,
    exported: AtomicBool,
}

struct Made {
    by: Maker,
    at: Option<Origin>,
    ended: AtomicBool,
}

impl Environment {
    fn new(py: Python<'_>, environment: portalloc::Environment) -> Self {
        let record = environment.record().clone();
        let made = (!environment.is_attached()).then(|| Made {
            by: Maker::this_process(),
            at: Origin::here(py),
            ended: AtomicBool::new(false),
        });
        Self { inner: Mutex::new(environment), record, made, exported: AtomicBool::new(false) }
    }

    /// Does `work` with its lease.
    pub(crate) fn with_lease<T>(
        &self,
        work: impl FnOnce(&portalloc::Lease) -> portalloc::Result<T>,
    ) -> portalloc::Result<T> {
        self.inner().ok_or_else(ffi::no_lease_now)?.held_lease().and_then(work)
    }

    /// None while another thread cleans it up, and in a child that was forked meanwhile, where nobody will ever unlock it.
    fn inner(&self) -> Option<MutexGuard<'_, portalloc::Environment>> {
        match self.inner.try_lock() {
            Ok(inner) => Some(inner),
            Err(TryLockError::Poisoned(inner)) => Some(inner.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Whether this process has it to end.
    fn is_ours(&self) -> bool {
        self.made.as_ref().is_some_and(|made| made.by.is_this_process() && !made.ended.load(Ordering::Relaxed))
    }

    fn end(&self, py: Python<'_>) -> PyResult<()> {
        self.unexport(py)?;
        if !self.is_ours() {
            // Whoever holds it, in the registry's own words.
            let selection = Cleanup::new(Selection::Id(self.record.isolation_id));
            return call::long(py, &Settings::new(), |allocator| allocator.cleanup(&selection).map(|_| ()));
        }
        let cleanup = || self.inner.lock().unwrap_or_else(PoisonError::into_inner).cleanup();
        call::finished(py, py.detach(|| portalloc::ffi::no_panic(cleanup)))?;
        if let Some(made) = &self.made {
            made.ended.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Into `os.environ`, for this process and those that it starts.
    fn export(&self, py: Python<'_>) -> PyResult<()> {
        let environ = py.import("os")?.getattr("environ")?;
        for (name, value) in self.record.variables() {
            environ.set_item(name, value)?;
        }
        self.exported.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Only what still is as it was exported.
    fn unexport(&self, py: Python<'_>) -> PyResult<()> {
        if !self.exported.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let environ = py.import("os")?.getattr("environ")?;
        for (name, value) in self.record.variables() {
            if environ.call_method1("get", (&name,))?.extract::<Option<String>>()?.as_ref() == Some(&value) {
                environ.del_item(name)?;
            }
        }
        Ok(())
    }
}

/// Does not name the ID, because Python says the same about the same line once.
const LOST: &str = "the environment made here was not cleaned up, and ended because nothing refers to its Environment \
                    object any more: keep the object for as long as the environment is needed, then call cleanup() or leave \
                    its with block";

impl Drop for Environment {
    fn drop(&mut self) {
        // A kept one is meant to stay.
        if !self.is_ours() || self.record.lifetime == portalloc::registry::Lifetime::Kept {
            return;
        }
        if let Some(origin) = self.made.as_ref().and_then(|made| made.at.as_ref()) {
            Python::try_attach(|py| origin.warn(py, LOST));
        }
    }
}

/// What both `create` and `current` are asked for.
struct Common {
    names: Option<Names>,
    instance_id: Option<String>,
    worktree: Option<PathBuf>,
    env_file: Option<EnvFilePlace>,
    sticky: Option<bool>,
    timeout: Option<Seconds>,
}

impl Common {
    fn request(self, ports: Wanted, py: Python<'_>) -> PyResult<EnvironmentRequest> {
        let mut request = EnvironmentRequest::new();
        if let Some(EnvFilePlace(place)) = self.env_file {
            request = request.env_file(place);
        }
        if let Some(Names(names)) = self.names {
            request = request.names(names);
        }
        if let Some(instance_id) = self.instance_id {
            request = request.instance_id(instance_id);
        }
        if let Some(worktree) = self.worktree {
            request = request.worktree(worktree);
        }
        if let Some(sticky) = self.sticky {
            request = request.sticky(sticky);
        }
        if let Some(Seconds(limit)) = self.timeout {
            request = request.wait(limit);
        }
        ports.of_environment(request).map_err(|error| raised(py, error))
    }
}

#[pymethods]
impl Environment {
    /// Makes an environment. If it fails, nothing of it is left.
    ///
    /// - `names`: names for the first ports; `"postgres"` becomes the variable `POSTGRES_PORT`. They set the number of
    ///   ports, unless `count` does; without either there are five.
    /// - `ports`, `offsets`, `scattered`, `pool`, `exclude`, `timeout`: as for `portalloc.lease`. `guard`: too, for a held one.
    /// - `instance_id`: what tells it from others of its work tree. `worktree`: an existing folder, else the current one.
    /// - `env_file`: `True`, the default, for `.env.isolation` in the work tree (`.env.isolation.<id>` if that is taken), `False` for none,
    ///   or this very path.
    /// - `kept`: outlives this process. `ttl`: seconds or a `timedelta` after which a kept one is over. `owner_pid`: the
    ///   process whose end ends a kept one.
    /// - `sticky`: prefers the ports that the same work tree, instance ID and names had before.
    ///
    /// Whatever is not given the project file `portalloc.toml`, in the work tree or above it, may say.
    ///
    /// Raises as `portalloc.lease`, and `NotFoundError` (owner), `EnvFileExistsError`, `IdExhaustedError`.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    #[pyo3(
        signature = (count = None, *, names = None, ports = None, offsets = None, scattered = false, instance_id = None, worktree = None, env_file = None, kept = false, ttl = None, owner_pid = None, pool = None, exclude = None, guard = None, sticky = None, timeout = None)
    )]
    fn create(
        py: Python<'_>,
        count: Option<Count>,
        names: Option<Names>,
        ports: Option<Ports>,
        offsets: Option<Offsets>,
        scattered: bool,
        instance_id: Option<String>,
        worktree: Option<PathBuf>,
        env_file: Option<EnvFilePlace>,
        kept: bool,
        ttl: Option<Seconds>,
        owner_pid: Option<ProcessId>,
        pool: Option<String>,
        exclude: Option<String>,
        guard: Option<bool>,
        sticky: Option<bool>,
        timeout: Option<Seconds>,
    ) -> PyResult<Self> {
        let settings = call::settings(pool, exclude);
        let common = Common { names, instance_id, worktree, env_file, sticky, timeout };
        let mut request = common.request(wanted(count, ports, offsets, scattered), py)?;
        if kept {
            request = request.kept();
        }
        if let Some(Seconds(ttl)) = ttl {
            request = request.ttl(ttl);
        }
        if let Some(ProcessId(pid)) = owner_pid {
            request = request.owner_pid(pid);
        }
        if let Some(guard) = guard {
            request = request.guard(guard);
        }
        let create = |interrupt: &Interrupt| {
            let (allocator, request) = settings.open_for(request)?;
            interrupt.watch(&allocator).create_environment(&request)
        };
        let environment = call::waiting_or_undone(py, create, |mut environment| {
            // A kept one would stay. What cannot be removed now keeps its record, for `cleanup_stale`.
            let _ = environment.cleanup();
        })?;
        Ok(Self::new(py, environment))
    }

    /// The live environment with this ID, or with that in the variable `ISOLATION_ID`, to read its ports, names and temp
    /// dir. Nothing that happens to the returned object ends the environment, but its `cleanup`.
    ///
    /// Raises `InvalidIdError`, `NotFoundError` if there is none or it is over, `PermissionDeniedError` if it is another
    /// user's, `RegistryUnusableError`, `IoError`.
    #[staticmethod]
    #[pyo3(signature = (id = None))]
    fn attach(py: Python<'_>, id: Option<&str>) -> PyResult<Self> {
        let environment = call::short(py, &Settings::new(), |allocator| match id {
            Some(id) => allocator.attach(id.parse()?),
            None => allocator.attach_named(),
        })?;
        Ok(Self::new(py, environment))
    }

    /// The environment of this run: the one that the variable `ISOLATION_ID` names, if that lives; else a new one as asked
    /// for, as by `create`, whose variables are set in `os.environ`, so that the processes started from here on share it.
    /// They are removed again when it is cleaned up.
    ///
    /// Raises as `create` and `attach`.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
    #[pyo3(
        signature = (count = None, *, names = None, instance_id = None, worktree = None, env_file = None, pool = None, exclude = None, sticky = None, timeout = None)
    )]
    fn current(
        py: Python<'_>,
        count: Option<Count>,
        names: Option<Names>,
        instance_id: Option<String>,
        worktree: Option<PathBuf>,
        env_file: Option<EnvFilePlace>,
        pool: Option<String>,
        exclude: Option<String>,
        sticky: Option<bool>,
        timeout: Option<Seconds>,
    ) -> PyResult<Self> {
        let settings = call::settings(pool, exclude);
        let common = Common { names, instance_id, worktree, env_file, sticky, timeout };
        let request = common.request(wanted(count, None, None, false), py)?;
        let environment = call::waiting(py, |interrupt| {
            let (allocator, request) = settings.open_for(request)?;
            interrupt.watch(&allocator).current(&request)
        })?;
        let environment = Self::new(py, environment);
        if environment.made.is_some() {
            environment.export(py)?;
        }
        Ok(environment)
    }

    /// Its isolation ID: 12 lower-case hexadecimal digits.
    #[getter]
    fn id(&self) -> String {
        self.record.isolation_id.to_string()
    }

    /// Its ports, in the order of the names.
    #[getter]
    fn ports<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Ints>> {
        Typed::new(PyTuple::new(py, &self.record.ports.ports)?, py)
    }

    /// The first port.
    #[getter]
    fn base_port(&self) -> u16 {
        self.record.ports.base_port
    }

    /// The names of the first ports.
    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Texts>> {
        Typed::new(PyTuple::new(py, &self.record.names)?, py)
    }

    /// The port of this name, or at this index. Raises `InvalidArgumentError` if there is none.
    fn port(&self, py: Python<'_>, name: PortName) -> PyResult<u16> {
        let port = self.record.index(&name.0).map(|index| self.record.ports.ports.get(index).copied());
        Ok(port.map_err(|error| raised(py, error))?.unwrap_or_default())
    }

    /// Its temp dir, made with mode 0700; removed by the cleanup with all that is in it.
    #[getter]
    fn temp_dir(&self) -> PathBuf {
        self.record.temp_dir.clone()
    }

    /// Its env file, if it has one. Beside `.env.isolation` if that was taken: then it is `.env.isolation.<id>`.
    #[getter]
    fn env_file(&self) -> Option<PathBuf> {
        self.record.env_file.clone()
    }

    /// The work tree it was made for.
    #[getter]
    fn worktree_path(&self) -> PathBuf {
        self.record.worktree_path.clone()
    }

    /// What tells it from others of its work tree; may be empty.
    #[getter]
    fn instance_id(&self) -> &str {
        &self.record.instance_id
    }

    /// `"held"` or `"kept"`.
    #[getter]
    fn lifetime<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::LifetimeWord>> {
        Typed::new(self.record.lifetime.as_str(), py)
    }

    /// When it was made (UTC).
    #[getter]
    fn created_at(&self) -> SystemTime {
        time(self.record.created_at)
    }

    /// When its TTL is over (UTC), if it has one.
    #[getter]
    fn expires_at(&self) -> Option<SystemTime> {
        self.record.expires_at.map(time)
    }

    /// Its variables, names and values, in the order in which they are written: a new `dict` each time.
    #[getter]
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Variables>> {
        let variables = PyDict::new(py);
        for (name, value) in self.record.variables() {
            variables.set_item(name, value)?;
        }
        Typed::new(variables, py)
    }

    /// Its variables as a text for a shell or a file: `shell` (safe to `eval`), `fish`, `powershell`, `dotenv`, `github`.
    #[pyo3(signature = (syntax = "shell"))]
    fn render(&self, py: Python<'_>, syntax: &str) -> PyResult<String> {
        let syntax = ffi::syntax(syntax).map_err(|error| raised(py, error))?;
        Ok(portalloc::environment::render(&self.record.variables(), syntax))
    }

    /// The lease of a held environment, for the process that made it: guards, hand-off, and passing it on. None of a kept
    /// or an attached one, and after the cleanup.
    #[getter]
    fn lease(slf: Bound<'_, Self>) -> PyResult<Option<Lease>> {
        let this = slf.get();
        if !this.is_ours() || this.record.lifetime == portalloc::registry::Lifetime::Kept {
            return Ok(None);
        }
        Lease::of(slf.py(), slf.clone().unbind(), &this.record.ports.ports).map(Some)
    }

    /// Removes its temp dir, env file and record, and gives the ports back. Again does nothing.
    ///
    /// An attached one is removed too, if it is a kept one. Raises `InUseError` if another process holds it, such as the
    /// parent of a forked child; `PermissionDeniedError`, `IoError`, `RegistryUnusableError`: then it can be repeated.
    fn cleanup(&self, py: Python<'_>) -> PyResult<()> {
        self.end(py)
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// Cleans up what this process made; an attached one is left alone, and so is a forked child's copy.
    #[pyo3(signature = (_type = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _type: Option<Bound<'_, PyAny>>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        if self.is_ours() { self.end(py) } else { Ok(()) }
    }

    fn __reduce__(&self) -> PyResult<String> {
        Err(PyTypeError::new_err(
            "an environment stays with the process that made it and cannot be pickled or copied: send its id, and attach to that",
        ))
    }

    fn __repr__(&self) -> String {
        format!("<Environment {} {}>", self.record.isolation_id, crate::lease::shown(&self.record.ports.ports))
    }
}
