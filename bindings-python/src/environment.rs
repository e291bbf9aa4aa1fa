//! Environments.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portalloc::ffi::{EnvironmentOptions, Exported};
use portalloc::registry::{Record, Timestamp};
use portalloc::{IsolationId, Settings, ffi};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{
    Count, EnvFilePlace, Names, Offsets, OneOrMore, PortName, Ports, PortsOrNames, ProcessId, Seconds, Status, choice,
};
use crate::call;
use crate::errors::raised;
use crate::hold::Hold;
use crate::lease::Lease;
use crate::origin::Origin;
use crate::servers::{self, port_of};
use crate::typed::{self, Typed};

/// An isolation ID with a lease, a temp directory and variables, made and removed together. Make one with
/// `portalloc.environment` or `portalloc.current`, or use another process's with `portalloc.attach`.
///
/// `environment["web"]` is the port of that name. Iterating over it gives its ports.
///
/// A *held* environment lives as long as this object. It ends with `cleanup`, with its `with` block, when the object is
/// garbage-collected (with a `PortallocWarning` that names the line where it was made), and with the process, however that
/// ends. A *kept* environment outlives the process, until a cleanup, its TTL, or the end of its owner. Any thread may use it.
/// A forked child can read its copy but cannot end the environment.
#[pyclass(frozen, module = "portalloc")]
pub(crate) struct Environment {
    inner: portalloc::Environment,
    /// What `current` has set in `os.environ`.
    exported: Mutex<Exported>,
    /// None of an attached one.
    made_at: Option<Origin>,
    /// Whether it is a worktree's, which its `with` block leaves as it is.
    stays: bool,
}

impl Environment {
    fn new(py: Python<'_>, inner: portalloc::Environment) -> Self {
        let made_at = if inner.is_attached() { None } else { Origin::here(py) };
        Self { inner, exported: Mutex::default(), made_at, stays: false }
    }

    /// That of a worktree.
    pub(crate) fn of_worktree(inner: portalloc::Environment) -> Self {
        Self { inner, exported: Mutex::default(), made_at: None, stays: true }
    }

    fn record(&self) -> &Record {
        self.inner.record()
    }

    /// Sets its variables in `os.environ`, for this process and those that it starts.
    fn export(&self, py: Python<'_>) -> PyResult<()> {
        let environ = environ(py)?;
        let exported = Exported::new(self.inner.variables(), |name| value(&environ, name));
        for (name, value) in exported.to_set() {
            environ.set_item(name, value)?;
        }
        *self.exported.lock().unwrap_or_else(PoisonError::into_inner) = exported;
        Ok(())
    }

    fn restore_variables(&self, py: Python<'_>) -> PyResult<()> {
        let exported = std::mem::take(&mut *self.exported.lock().unwrap_or_else(PoisonError::into_inner));
        let environ = environ(py)?;
        for (name, before) in exported.to_restore(|name| value(&environ, name)) {
            match before {
                Some(value) => environ.set_item(name, value)?,
                None => environ.del_item(name)?,
            }
        }
        Ok(())
    }
}

fn environ(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("os")?.getattr("environ")
}

fn value(environ: &Bound<'_, PyAny>, name: &str) -> Option<String> {
    environ.get_item(name).ok()?.extract().ok()
}

/// A point in time, which Python shows as an aware `datetime` in UTC.
fn time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.unix_ms())
}

/// Does not name the ID, because Python says the same about the same line once.
const LOST: &str = "the environment made here was not cleaned up, and ended because nothing refers to its Environment \
                    object any more: keep the object for as long as the environment is needed, then call cleanup() or leave \
                    its with block";

impl Drop for Environment {
    fn drop(&mut self) {
        // A kept one has no lease: it is meant to stay.
        if let Some(origin) = &self.made_at
            && self.inner.is_ours()
            && self.inner.lease().is_some()
        {
            Python::try_attach(|py| origin.warn(py, LOST));
        }
    }
}

/// Makes an environment. If it fails, nothing of it is left.
///
/// - `names`: names for the first ports; `"postgres"` becomes the variable `POSTGRES_PORT`. They set the number of ports,
///   unless `count` does; without either there are five.
/// - `exact`, `offsets`, `scattered`, `pool`, `exclude`, `wait`: as for `portalloc.lease`. `guard`: also, for a held one.
/// - `instance_id`: tells it apart from other environments of its worktree. `worktree`: an existing directory; by
///   default the nearest one upwards with a `.git`, else that of `portalloc.toml`, else the current one.
/// - `env_file`: `True` writes the variables to `.env.isolation` in the worktree (`.env.isolation.<id>` if that is taken); a
///   path writes them there. By default there is no env file.
/// - `kept`: outlives this process. `ttl`: seconds or a `timedelta` after which a kept one ends. `owner_pid`: the process
///   whose end ends a kept one.
/// - `sticky`: prefers the ports that the same worktree, instance ID and names had before. `prefer`: as for
///   `portalloc.lease`.
///
/// The project file `portalloc.toml` sets what the arguments leave open. It is looked for from the worktree or the current
/// directory upwards, up to the directory with the `.git`.
///
/// Raises the errors of `portalloc.lease`, and `NotFoundError` (owner), `EnvFileExistsError`, `IdExhaustedError`.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
#[pyo3(
    signature = (count = None, *, names = None, exact = None, offsets = None, scattered = false, instance_id = None, worktree = None, env_file = None, kept = false, ttl = None, owner_pid = None, pool = None, exclude = None, guard = None, sticky = None, prefer = None, wait = Seconds::NONE)
)]
pub(crate) fn environment(
    py: Python<'_>,
    count: Option<Count>,
    names: Option<Names>,
    exact: Option<Ports>,
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
    prefer: Option<OneOrMore>,
    wait: Seconds,
) -> PyResult<Environment> {
    let options = EnvironmentOptions {
        ports: choice(count, exact, offsets, scattered),
        names: names.map(Into::into),
        instance_id,
        worktree,
        env_file: env_file.map(Into::into),
        kept,
        ttl: ttl.map(Into::into),
        owner_pid: owner_pid.map(Into::into),
        guard,
        sticky,
        prefer: prefer.map(Into::into),
        wait: Some(wait.0),
        place: Origin::here(py).map(|origin| origin.told(py)).transpose()?,
    };
    let request = options.request().map_err(|error| raised(py, error))?;
    let settings = Settings::given(None, pool, exclude);
    let made = call::waiting_or_undone(
        py,
        |interrupt| {
            let (allocator, request) = settings.open_for(request)?;
            interrupt.watch(&allocator).create_environment(&request)
        },
        |environment| {
            // A kept one would stay. What cannot be removed now keeps its record, for `cleanup_stale`.
            let _ = environment.cleanup();
        },
    )?;
    Ok(Environment::new(py, made))
}

/// The live environment with this ID, or with the ID in the variable `ISOLATION_ID`, to read its ports, names and temp
/// directory. Only the `cleanup` of the returned object ends the environment; nothing else that happens to the object does.
///
/// Raises `InvalidIdError`, `NotFoundError` if there is none or it has ended, `PermissionDeniedError` if it is another
/// user's, `RegistryUnusableError`, `SystemCallError`.
#[pyfunction]
#[pyo3(signature = (id = None))]
pub(crate) fn attach(py: Python<'_>, id: Option<&str>) -> PyResult<Environment> {
    let id: Option<IsolationId> = id.map(str::parse).transpose().map_err(|error| raised(py, error))?;
    let attached = call::short(py, &Settings::new(), |allocator| match id {
        Some(id) => allocator.attach(id),
        None => allocator.attach_named(),
    })?;
    Ok(Environment::new(py, attached))
}

/// The environment of this run: the one that the variable `ISOLATION_ID` names, if it is live; else a new one, made as by
/// `portalloc.environment`, whose variables are set in `os.environ`, so that the processes started from now on share it.
/// Its cleanup gives those variables their former values back.
///
/// Raises the errors of `environment` and `attach`.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
#[pyo3(
    signature = (count = None, *, names = None, instance_id = None, worktree = None, env_file = None, pool = None, exclude = None, sticky = None, prefer = None, wait = Seconds::NONE)
)]
pub(crate) fn current(
    py: Python<'_>,
    count: Option<Count>,
    names: Option<Names>,
    instance_id: Option<String>,
    worktree: Option<PathBuf>,
    env_file: Option<EnvFilePlace>,
    pool: Option<String>,
    exclude: Option<String>,
    sticky: Option<bool>,
    prefer: Option<OneOrMore>,
    wait: Seconds,
) -> PyResult<Environment> {
    let options = EnvironmentOptions {
        ports: choice(count, None, None, false),
        names: names.map(Into::into),
        instance_id,
        worktree,
        env_file: env_file.map(Into::into),
        sticky,
        prefer: prefer.map(Into::into),
        wait: Some(wait.0),
        place: Origin::here(py).map(|origin| origin.told(py)).transpose()?,
        ..EnvironmentOptions::default()
    };
    let request = options.request().map_err(|error| raised(py, error))?;
    let settings = Settings::given(None, pool, exclude);
    let found = call::waiting(py, |interrupt| {
        let (allocator, request) = settings.open_for(request)?;
        interrupt.watch(&allocator).current(&request)
    })?;
    let environment = Environment::new(py, found);
    if !environment.inner.is_attached() {
        environment.export(py)?;
    }
    Ok(environment)
}

#[pymethods]
impl Environment {
    /// Its isolation ID: 12 lower-case hexadecimal digits.
    #[getter]
    fn id(&self) -> String {
        self.inner.id().to_string()
    }

    /// Its ports, in the order of the names.
    #[getter]
    fn ports<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Ints>> {
        Typed::new(PyTuple::new(py, self.inner.ports())?, py)
    }

    /// The first port.
    #[getter]
    fn base_port(&self) -> u16 {
        self.record().ports.base_port
    }

    /// The names of the first ports.
    #[getter]
    fn names<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Texts>> {
        Typed::new(PyTuple::new(py, &self.record().names)?, py)
    }

    /// The port of this name, or at this index. Raises `InvalidArgumentError` if there is none.
    fn port(&self, py: Python<'_>, name: PortName) -> PyResult<u16> {
        port_of(&self.inner, &name.0).map_err(|error| raised(py, error))
    }

    /// The port of this name, or at this index. Raises `KeyError` if there is none.
    fn __getitem__(&self, name: PortName) -> PyResult<u16> {
        port_of(&self.inner, &name.0).map_err(|error| PyKeyError::new_err(error.message().to_owned()))
    }

    fn __len__(&self) -> usize {
        self.inner.ports().len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::IntIterator>> {
        Typed::new(PyTuple::new(py, self.inner.ports())?.try_iter()?, py)
    }

    /// Whether it has this port, or a port of this name.
    fn __contains__(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(PyTuple::new(py, self.inner.ports())?.contains(item)?
            || PyTuple::new(py, &self.record().names)?.contains(item)?)
    }

    /// Its temp directory, made with mode 0700. The cleanup removes it and everything in it.
    #[getter]
    fn temp_dir(&self) -> PathBuf {
        self.inner.temp_dir().to_owned()
    }

    /// Its env file, if it has one. If `.env.isolation` was taken, this is `.env.isolation.<id>` beside it.
    #[getter]
    fn env_file(&self) -> Option<PathBuf> {
        self.record().env_file.clone()
    }

    /// The worktree it was made for.
    #[getter]
    fn worktree_path(&self) -> PathBuf {
        self.record().worktree_path.clone()
    }

    /// Tells it apart from other environments of its worktree; may be empty.
    #[getter]
    fn instance_id(&self) -> &str {
        &self.record().instance_id
    }

    /// `"held"` or `"kept"`.
    #[getter]
    fn lifetime<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::LifetimeWord>> {
        Typed::new(self.record().lifetime.as_str(), py)
    }

    /// When it was made (UTC).
    #[getter]
    fn created_at(&self) -> SystemTime {
        time(self.record().created_at)
    }

    /// When its TTL is over (UTC), if it has one.
    #[getter]
    fn expires_at(&self) -> Option<SystemTime> {
        self.record().expires_at.map(time)
    }

    /// Its variables, names and values, in the order in which they are written: a new `dict` each time.
    #[getter]
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Variables>> {
        let variables = PyDict::new(py);
        for (name, value) in self.inner.variables() {
            variables.set_item(name, value)?;
        }
        Typed::new(variables, py)
    }

    /// Its variables as text for a shell or a file: `shell` (safe to `eval`), `fish`, `powershell`, `dotenv`, `github`.
    #[pyo3(signature = (syntax = "shell"))]
    fn render(&self, py: Python<'_>, syntax: &str) -> PyResult<String> {
        let syntax = ffi::syntax(syntax).map_err(|error| raised(py, error))?;
        Ok(portalloc::environment::render(&self.inner.variables(), syntax))
    }

    /// The lease of a held environment, for the process that made it: guards, sockets for servers, inheritance by children.
    /// `None` for a kept or an attached one, and after the cleanup.
    #[getter]
    fn lease(slf: Bound<'_, Self>) -> PyResult<Option<Lease>> {
        let lease = slf.get().inner.lease();
        lease.map(|lease| Lease::of(slf.py(), slf.clone().into_any().unbind(), lease)).transpose()
    }

    /// Ends the servers on its ports that are its own, and nothing else, and returns a `StopReport` of each process.
    ///
    /// A process is its own if it has a `hold` on it, carries its `ISOLATION_ID`, descends from such a one, or runs as this
    /// user in its worktree or temp directory without another `ISOLATION_ID`. This process, those that it descends from, and
    /// whatever has a terminal to itself are spared. Each is asked to end (SIGTERM), and killed after `timeout`, 10 seconds
    /// by default.
    ///
    /// `ports`: only these, by number or name. `dry_run`: says which, and ends none. What is left on the ports is in the
    /// report, and raises nothing. Other threads run meanwhile, and Ctrl-C ends the wait. Raises `InvalidArgumentError`,
    /// `UnsupportedError` before Linux 5.3, `SystemCallError`.
    #[pyo3(signature = (ports = None, *, timeout = None, dry_run = false))]
    fn stop<'py>(
        &self,
        py: Python<'py>,
        ports: Option<PortsOrNames>,
        timeout: Option<Seconds>,
        dry_run: bool,
    ) -> PyResult<Typed<'py, typed::StopReport>> {
        servers::stop(py, &self.inner, ports, timeout, dry_run)
    }

    /// Ends its servers as `stop` does, waits until nobody has a `hold` on it, and removes it as `cleanup` does: `removed` of
    /// the report says whether it did, which it does not while anything is left on its ports.
    ///
    /// Raises `EnvironmentInUseError` if a program has a hold on it that is no server, before anything is ended; else as
    /// `stop` and `cleanup`.
    #[pyo3(signature = (*, timeout = None, dry_run = false))]
    fn down<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Seconds>,
        dry_run: bool,
    ) -> PyResult<Typed<'py, typed::StopReport>> {
        let (report, is_removed) = servers::down(py, &self.inner, timeout, dry_run)?;
        if is_removed {
            self.restore_variables(py)?;
        }
        Ok(report)
    }

    /// Waits until the server on each of the ports accepts connections and is this environment's own, as `stop` tells. By
    /// default on all of its ports; `ports` names some, by number or name.
    ///
    /// `http` is a path such as `/health`, which the server must answer with a status below 400, or with exactly `status`.
    /// `wait` is in seconds, or a `timedelta`; 30 seconds by default, and 0 checks once. Other threads run meanwhile, and
    /// Ctrl-C ends the wait.
    ///
    /// Raises `PortInUseError` at once if somebody else's server listens, with its name and directory; `WaitTimeout`, which
    /// says what was last seen on each port; `InvalidArgumentError`, `SystemCallError`.
    #[pyo3(signature = (ports = None, wait = Seconds::USUAL, *, http = None, status = None))]
    fn wait_until_ours(
        &self,
        py: Python<'_>,
        ports: Option<PortsOrNames>,
        wait: Seconds,
        http: Option<String>,
        status: Option<Status>,
    ) -> PyResult<()> {
        servers::wait_until_ours(py, &self.inner, ports, wait, http, status)
    }

    /// Takes a hold on a kept environment, such as that of a worktree: nobody can remove it until that is released, and until
    /// every process that has inherited it has ended.
    ///
    /// Raises `NotFoundError` if it has been removed or is stale, `InvalidArgumentError` if it is held,
    /// `EnvironmentInUseError` if a process has been removing it for seconds, `RegistryUnusableError`, `SystemCallError`.
    fn hold(&self, py: Python<'_>) -> PyResult<Hold> {
        let taken = py.detach(|| ffi::no_panic(|| self.inner.hold()));
        call::finished(py, taken).map(Hold::new)
    }

    /// Writes the variables of a worktree's environment into a block of the file at `path`, such as `.env.local`: between two
    /// marker lines, in a file that people edit, too. Everything else in it stays as it is. The end of the environment
    /// removes the block.
    ///
    /// Raises `InvalidArgumentError` if it is not the environment of its worktree, or if somebody has cut the file's block
    /// off, with file and line; `NotFoundError`, `EnvironmentInUseError`, `PermissionDeniedError`, `RegistryUnusableError`,
    /// `SystemCallError`.
    fn write_block(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let written = py.detach(|| ffi::no_panic(|| self.inner.write_block(&path)));
        call::finished(py, written)
    }

    /// Removes its temp directory, env file and record, and releases the ports. Safe to call twice.
    ///
    /// Removes an attached one, too, if it is kept. Raises `EnvironmentInUseError` if another process holds it, such as the
    /// parent of a forked child; `PermissionDeniedError`, `SystemCallError`, `RegistryUnusableError`: call it again then.
    fn cleanup(&self, py: Python<'_>) -> PyResult<()> {
        self.restore_variables(py)?;
        let cleaned = py.detach(|| ffi::no_panic(|| self.inner.cleanup()));
        call::finished(py, cleaned)
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    /// Cleans up what this process made. Leaves an attached environment alone, and a worktree's, and in a forked child its
    /// parent's.
    #[pyo3(signature = (_type = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _type: Option<Bound<'_, PyAny>>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        if self.inner.is_ours() && !self.stays { self.cleanup(py) } else { Ok(()) }
    }

    fn __reduce__(&self) -> PyResult<String> {
        Err(PyTypeError::new_err(
            "an environment stays with the process that made it and cannot be pickled or copied: send its id, and attach to that",
        ))
    }

    fn __repr__(&self) -> String {
        format!("<Environment {} {}>", self.inner.id(), crate::lease::shown(self.inner.ports()))
    }
}
