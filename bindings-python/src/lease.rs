//! Leases.

use std::net::IpAddr;
use std::sync::Arc;

use portalloc::ffi::LeaseOptions;
use portalloc::{Settings, SocketOptions, ffi};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyTuple};

use crate::arguments::{Count, Offsets, OneOrMore, Ports, Seconds, choice};
use crate::call;
use crate::errors::raised;
use crate::inheritable::Inheritable;
use crate::origin::Origin;
use crate::typed::{self, Typed};

/// Leases ports: no other process is given them until they are released or this process has ended.
///
/// - `count`: how many consecutive ports; one by default.
/// - `exact`: exactly these, in the pool or not. `offsets`: a base and the ports at these distances from it, such as
///   `[0, 1, 10000]`. `scattered`: ports that need not be consecutive. At most one of the three.
/// - `pool`, `exclude`: ports to give out, and ports never to give out, such as `"20000-29999,31000"`. By default the
///   variables `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE` set them, else the project file `portalloc.toml`, else 20000-29999.
/// - `guard`: also keeps programs that do not use portalloc off the ports: see `Lease.guard`.
/// - `sticky_key`: prefers the ports that the same key was given before, on this machine.
/// - `prefer`: a first port to try before all others, or several in this order, in the pool or not.
/// - `wait`: seconds, or a `timedelta`, to wait for ports to come free; by default the call fails at once. While it waits,
///   other threads run, and Ctrl-C ends the wait.
///
/// Raises `InvalidArgumentError`, `PoolExhaustedError`, `PortInUseError`, `WaitTimeout`, `RegistryUnusableError`,
/// `PermissionDeniedError`, `SystemCallError`; `TypeError` for arguments of a wrong type.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
#[pyo3(
    signature = (count = None, *, exact = None, offsets = None, scattered = false, pool = None, exclude = None, guard = false, sticky_key = None, prefer = None, wait = Seconds::NONE)
)]
pub(crate) fn lease(
    py: Python<'_>,
    count: Option<Count>,
    exact: Option<Ports>,
    offsets: Option<Offsets>,
    scattered: bool,
    pool: Option<String>,
    exclude: Option<String>,
    guard: bool,
    sticky_key: Option<String>,
    prefer: Option<OneOrMore>,
    wait: Seconds,
) -> PyResult<Lease> {
    let ports = choice(count, exact, offsets, scattered);
    let origin = Origin::here(py);
    let place = origin.as_ref().map(|origin| origin.told(py)).transpose()?;
    let prefer = prefer.map(Into::into).unwrap_or_default();
    let options = LeaseOptions { ports, wait: Some(wait.0), guard, sticky_key, prefer, place };
    let request = options.request().map_err(|error| raised(py, error))?;
    let settings = Settings::given(None, pool, exclude);
    let lease = if wait.0.is_zero() {
        call::short(py, &settings, |allocator| allocator.lease(request))
    } else {
        call::waiting(py, |interrupt| interrupt.with(&settings, |allocator| allocator.lease(request)))
    }?;
    let ports = PyTuple::new(py, lease.ports())?.unbind();
    Ok(Lease { lease: Arc::new(lease), ports, origin, environment: None })
}

/// Ports that no other process is given until they are released or the process that took them has ended. The kernel sees to
/// that, even after SIGKILL. A context manager that releases, and a sequence of its ports.
///
/// It costs one file descriptor, which is closed on exec. Any thread may use it. In a forked child, its copy keeps the lease
/// alive while the child lives, but only the process that took the lease can release it. It cannot be pickled: send its
/// ports, and let a child inherit the lease with `inheritable`. A lease that was not released ends when nothing refers to its
/// object any more, with a `PortallocWarning` that names the line where it was taken.
#[pyclass(frozen, sequence, module = "portalloc")]
pub(crate) struct Lease {
    lease: Arc<portalloc::Lease>,
    ports: Py<PyTuple>,
    /// None if it is an environment's.
    origin: Option<Origin>,
    /// The environment it belongs to: kept alive, because its end would release the ports.
    #[expect(dead_code, reason = "only kept")]
    environment: Option<Py<PyAny>>,
}

impl Lease {
    /// That of an environment.
    pub(crate) fn of(py: Python<'_>, environment: Py<PyAny>, lease: Arc<portalloc::Lease>) -> PyResult<Self> {
        let ports = PyTuple::new(py, lease.ports())?.unbind();
        Ok(Self { lease, ports, origin: None, environment: Some(environment) })
    }

    fn with<T>(&self, py: Python<'_>, work: impl FnOnce(&portalloc::Lease) -> portalloc::Result<T>) -> PyResult<T> {
        call::finished(py, ffi::no_panic(|| work(&self.lease)))
    }
}

/// Tells Python that a lease is a `collections.abc.Sequence`, without the import of `collections`, which costs a millisecond.
pub(crate) fn register_as_sequence(py: Python<'_>) -> PyResult<()> {
    let sequence = py.import("_collections_abc")?.getattr("Sequence")?;
    sequence.call_method1("register", (py.get_type::<Lease>(),)).map(drop)
}

/// Does not name the ports, because Python says the same about the same line once.
const LOST: &str = "the lease taken here was not released, and ended because nothing refers to its Lease object any more: \
                    keep the object for as long as the ports are needed, or take a port with portalloc.port(), which \
                    holds it until the process ends";

impl Drop for Lease {
    fn drop(&mut self) {
        // A forked child's copy is not the child's to release.
        if let Some(origin) = &self.origin
            && self.lease.is_ours()
            && self.lease.is_held()
        {
            Python::try_attach(|py| origin.warn(py, LOST));
        }
    }
}

/// "port 20000", "ports 20000, 20001".
pub(crate) fn shown(ports: &[u16]) -> String {
    let word = if ports.len() == 1 { "port" } else { "ports" };
    format!("{word} {}", ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

#[pymethods]
impl Lease {
    /// The ports: ascending for a run, in the order asked for otherwise. Known also after the release.
    #[getter]
    fn ports<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Ints>> {
        Typed::new(&self.ports, py)
    }

    /// The port, of a lease of one; of several the first.
    #[getter]
    fn port(&self) -> u16 {
        self.lease.base_port()
    }

    /// The first port.
    #[getter]
    fn base_port(&self) -> u16 {
        self.lease.base_port()
    }

    /// Whether this lease still has the ports: it was not released, and its file descriptor is still its own. A program that
    /// closes all descriptors, as daemons do when they start, ends its leases without releasing them.
    ///
    /// In a forked child: whether the child's copy keeps the lease alive.
    #[getter]
    fn held(&self) -> bool {
        self.lease.is_held()
    }

    /// Whether it was released. A lease that lost its descriptor was not; `held` tells of that, too.
    #[getter]
    fn released(&self) -> bool {
        self.lease.is_released()
    }

    /// Gives the ports back. Safe to call twice. Does nothing in a forked child.
    ///
    /// Others may be given these ports from now on, so close your own sockets first. An inherited lease ends only when the
    /// last process that has it has ended or let go of it.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |lease| {
            lease.release();
            Ok(())
        })
    }

    /// Holds the ports with sockets, against programs that do not use portalloc: none of them, and no server of your own,
    /// can bind the ports until `share_guard` or `drop_guard`. The sockets do not listen, so clients are refused.
    ///
    /// Raises `PortInUseError` if a foreign process is on one of the ports already.
    fn guard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, portalloc::Lease::guard)
    }

    /// Lets servers that set `SO_REUSEADDR`, as nearly all do, bind over the guard, which still keeps other programs off. UDP
    /// ports are not guarded from then on. Without a guard it does nothing.
    fn share_guard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, portalloc::Lease::share_guard)
    }

    /// Closes the guard's sockets, for servers that do not set `SO_REUSEADDR`. The lease stays.
    fn drop_guard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |lease| {
            lease.drop_guard();
            Ok(())
        })
    }

    /// `"none"`, `"shared"` (servers that set `SO_REUSEADDR` can bind) or `"exclusive"` (no server can bind).
    #[getter]
    fn guard_state<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::GuardWord>> {
        Typed::new(self.lease.guard_state().as_str(), py)
    }

    /// A `socket.socket` bound to the port at `index`, to pass to the server itself: `asyncio`'s `sock=`, uvicorn's `fd=`,
    /// gunicorn's `fd://`. No other program can take the port in between: a TCP socket is bound over a guard of this lease.
    ///
    /// `type` is `socket.SOCK_STREAM` or `socket.SOCK_DGRAM`; `host` an IP address, `"localhost"`, or `""` for every IPv4
    /// address (`"::"` for every one). A TCP socket listens already, unless `listen` is false. It is not inherited by
    /// child processes, unless you make it inheritable, and outlives the lease: close it before you release the port.
    ///
    /// Raises `PortInUseError` if a foreign process was there first, and `InvalidArgumentError`.
    #[pyo3(signature = (index = 0, *, r#type = 1, host = "127.0.0.1", listen = true))]
    fn socket<'py>(
        &self,
        py: Python<'py>,
        index: i64,
        r#type: i32,
        host: &str,
        listen: bool,
    ) -> PyResult<Typed<'py, typed::Socket>> {
        let options = socket_options(r#type, host).map_err(|error| raised(py, error))?.listen(listen);
        let count = self.ports.bind(py).len();
        let socket = self.with(py, |lease| {
            let index = usize::try_from(index).map_err(|_| ffi::no_index(index, count))?;
            lease.socket(index, &options)
        })?;
        Typed::new(python_socket(py, socket)?, py)
    }

    /// Lets child processes inherit the lease: `with lease.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])`. From
    /// then on it lives until this process and every process that inherited it have let go of it or ended; a release gives up
    /// only this process's part. Guards are not inherited.
    ///
    /// Raises `InvalidArgumentError` once released, and `UnsupportedError` in a forked child.
    fn inheritable(&self, py: Python<'_>) -> PyResult<Inheritable> {
        self.with(py, portalloc::Lease::inheritable).map(Inheritable::new)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.ports.bind(py).len()
    }

    /// By index or by slice, negative ones included, which the tuple understands. `stubs.py` says it to type checkers.
    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.ports.bind(py).as_any().get_item(index)
    }

    /// The index of a port. Raises `ValueError` if the lease does not have it.
    #[pyo3(signature = (port, start = 0, stop = isize::MAX, /))]
    fn index(&self, py: Python<'_>, port: Bound<'_, PyAny>, start: isize, stop: isize) -> PyResult<usize> {
        self.ports.bind(py).call_method1("index", (port, start, stop))?.extract()
    }

    /// 1 if the lease has this port, else 0: all its ports differ.
    fn count(&self, py: Python<'_>, port: Bound<'_, PyAny>) -> PyResult<usize> {
        self.ports.bind(py).call_method1("count", (port,))?.extract()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::IntIterator>> {
        Typed::new(self.ports.bind(py).try_iter()?, py)
    }

    fn __contains__(&self, py: Python<'_>, port: Bound<'_, PyAny>) -> PyResult<bool> {
        self.ports.bind(py).as_any().contains(port)
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (_type = None, _value = None, _traceback = None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _type: Option<Bound<'_, PyAny>>,
        _value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.release(py)
    }

    fn __reduce__(&self) -> PyResult<String> {
        Err(PyTypeError::new_err(
            "a lease stays with the process that took it and cannot be pickled or copied: send its ports, or let a child inherit it with inheritable()",
        ))
    }

    fn __repr__(&self) -> String {
        let state = match (self.released(), self.held()) {
            (true, _) => ", released",
            (false, true) => "",
            (false, false) => ", lost",
        };
        format!("<Lease {}{state}>", shown(self.lease.ports()))
    }
}

/// Python's own numbers for the kinds of sockets are the system's.
fn socket_options(kind: i32, host: &str) -> portalloc::Result<SocketOptions> {
    let address: IpAddr = ffi::address(host)?;
    Ok(match kind {
        1 => SocketOptions::tcp(),
        2 => SocketOptions::udp(),
        other => return Err(ffi::no_socket_type(other)),
    }
    .address(address))
}

/// Python's own object for a socket, which owns it from now on.
fn python_socket(py: Python<'_>, socket: portalloc::ServerSocket) -> PyResult<Bound<'_, PyAny>> {
    static SOCKET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let kwargs = [(intern!(py, "fileno"), socket.number())].into_py_dict(py)?;
    let made = SOCKET.import(py, "socket", "socket")?.call((), Some(&kwargs))?;
    let _ = socket.into_number();
    Ok(made)
}
