//! Leases.

use std::net::IpAddr;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

use portalloc::{GuardState, SocketOptions, ffi};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyTuple};

use crate::arguments::{Count, Offsets, Ports, Seconds, wanted};
use crate::call;
use crate::environment::Environment;
use crate::errors::raised;
use crate::inheritable::Inheritable;
use crate::origin::Origin;
use crate::typed::{self, Typed};

/// Leases ports: nobody else is given them until they are released, or this process is gone, whichever comes first.
///
/// - `count`: so many consecutive ports; one by default.
/// - `ports`: exactly these, in the pool or not. `offsets`: a base and the ports at these distances from it, such as
///   `[0, 1, 10000]`. `scattered`: ports that need not be consecutive. At most one of the three.
/// - `pool`, `exclude`: ports to give out and ports never to, such as `"20000-29999,31000"`; else `PORTALLOC_POOL` and
///   `PORTALLOC_EXCLUDE`, else the project file `portalloc.toml`, else 20000-29999.
/// - `guard`: holds the ports against programs that know nothing of portalloc, too: see `Lease.guard`.
/// - `sticky`: prefers the ports that the same key was given before, on this machine.
/// - `timeout`: seconds to wait for ports to come free; by default the call fails at once. While it waits other threads
///   run, and Ctrl-C ends it.
///
/// Raises `InvalidArgumentError`, `PoolExhaustedError`, `PortInUseError`, `TimeoutError`, `RegistryUnusableError`,
/// `PermissionDeniedError`, `IoError`; `TypeError` for arguments of a wrong type.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "they are keyword arguments in Python")]
#[pyo3(
    signature = (count = None, *, ports = None, offsets = None, scattered = false, pool = None, exclude = None, guard = false, sticky = None, timeout = None)
)]
pub(crate) fn lease(
    py: Python<'_>,
    count: Option<Count>,
    ports: Option<Ports>,
    offsets: Option<Offsets>,
    scattered: bool,
    pool: Option<String>,
    exclude: Option<String>,
    guard: bool,
    sticky: Option<String>,
    timeout: Option<Seconds>,
) -> PyResult<Lease> {
    let request = wanted(count, ports, offsets, scattered).request().map_err(|error| raised(py, error))?;
    let mut request = request.guard(guard);
    if let Some(key) = sticky {
        request = request.sticky(key);
    }
    let settings = call::settings(pool, exclude);
    let lease = match timeout {
        None => call::short(py, &settings, |allocator| allocator.lease(request)),
        Some(Seconds(limit)) => {
            call::waiting(py, |interrupt| interrupt.with(&settings, |allocator| allocator.lease(request.wait(limit))))
        }
    }?;
    Lease::new(py, lease)
}

/// Ports that are nobody else's until they are released, or until the process that took them is gone, whichever comes
/// first: the kernel sees to it, SIGKILL included. A context manager that releases; iterable and
/// indexable, it is its ports.
///
/// It costs one file descriptor, which is closed on exec. Any thread may use it. In a forked child its copy keeps the
/// lease alive while the child lives, but only the process that took it can release it. It cannot be pickled: send its
/// ports, and pass the lease itself on with `inheritable`. One that nothing refers to any more and that was not released
/// ends, with a `PortallocWarning` that names the line where it was taken.
#[pyclass(frozen, sequence, module = "portalloc")]
pub(crate) struct Lease {
    source: Source,
    ports: Py<PyTuple>,
}

/// Whose it is.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are leases, and a box for each would cost more than it saves"
)]
enum Source {
    Own { lease: portalloc::Lease, taken: Option<Origin> },
    Of(Py<Environment>),
}

impl Lease {
    fn new(py: Python<'_>, lease: portalloc::Lease) -> PyResult<Self> {
        let ports = PyTuple::new(py, lease.ports())?.unbind();
        Ok(Self { source: Source::Own { lease, taken: Origin::here(py) }, ports })
    }

    /// That of an environment, which outlives this view of it.
    pub(crate) fn of(py: Python<'_>, environment: Py<Environment>, ports: &[u16]) -> PyResult<Self> {
        Ok(Self { source: Source::Of(environment), ports: PyTuple::new(py, ports)?.unbind() })
    }

    fn with<T>(&self, py: Python<'_>, work: impl FnOnce(&portalloc::Lease) -> portalloc::Result<T>) -> PyResult<T> {
        call::finished(py, self.ask(work))
    }

    /// Without a word of what the core has to warn of: for properties, which raise nothing.
    fn ask<T>(&self, work: impl FnOnce(&portalloc::Lease) -> portalloc::Result<T>) -> portalloc::Result<T> {
        portalloc::ffi::no_panic(|| match &self.source {
            Source::Own { lease, .. } => work(lease),
            Source::Of(environment) => environment.get().with_lease(work),
        })
    }

    fn is_released(&self) -> bool {
        self.ask(|lease| Ok(lease.is_released())).unwrap_or(true)
    }
}

/// Does not name the ports, because Python says the same about the same line once.
const LOST: &str = "the lease taken here was not released, and ended because nothing refers to its Lease object any more: \
                    keep the object for as long as the ports are needed, or take a port with portalloc.port(), which \
                    holds it until the process ends";

impl Drop for Lease {
    fn drop(&mut self) {
        let Source::Own { lease, taken: Some(taken) } = &self.source else { return };
        // A forked child's copy is not the child's to release.
        if lease.is_ours() && lease.is_held() {
            Python::try_attach(|py| taken.warn(py, LOST));
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

    /// The port of a lease of one; `InvalidArgumentError` if there are several.
    #[getter]
    fn port(&self, py: Python<'_>) -> PyResult<u16> {
        match &self.source {
            Source::Own { lease, .. } => lease.port().map_err(|error| raised(py, error)),
            Source::Of(_) => self.with(py, portalloc::Lease::port),
        }
    }

    /// The first port.
    #[getter]
    fn base_port<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::Int>> {
        Typed::new(self.ports.bind(py).get_item(0)?, py)
    }

    /// Whether the ports are still this lease's: it was not released, and its file descriptor is still its own. A program
    /// that closes all descriptors, as daemons do when they start, ends its leases without releasing them.
    ///
    /// In a forked child: whether the child's copy keeps the lease alive.
    #[getter]
    fn held(&self) -> bool {
        self.ask(|lease| Ok(lease.is_held())).unwrap_or(false)
    }

    /// Whether it was released. A lease that lost its descriptor was not; `held` tells of that, too.
    #[getter]
    fn released(&self) -> bool {
        self.is_released()
    }

    /// Gives the ports back. Again does nothing, and neither does a forked child's call.
    ///
    /// From here on others may be given these ports, so close your own sockets first. A lease that was passed on ends
    /// only when the last process that has it is gone.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        match &self.source {
            Source::Of(_) if self.is_released() => Ok(()),
            _ => self.with(py, |lease| {
                lease.release();
                Ok(())
            }),
        }
    }

    /// Holds the ports by sockets, against programs that know nothing of portalloc: none of them, and no server of your
    /// own, can bind the ports until `open_guard` or `drop_guard`. The sockets do not listen, so that clients are refused.
    ///
    /// Raises `PortInUseError` if a stranger is there already.
    fn guard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, portalloc::Lease::guard)
    }

    /// Lets servers that set `SO_REUSEADDR`, as nearly all do, bind over the guard, which goes on keeping others off. UDP
    /// ports are not guarded from then on. Without a guard does nothing.
    fn open_guard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, portalloc::Lease::open_guard)
    }

    /// Closes the guard's sockets, for servers that do not set `SO_REUSEADDR`. The lease stays.
    fn drop_guard(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |lease| {
            lease.drop_guard();
            Ok(())
        })
    }

    /// `"none"`, `"reuse"` (servers that set `SO_REUSEADDR` can bind) or `"shut"` (nobody can).
    #[getter]
    fn guard_state<'py>(&self, py: Python<'py>) -> PyResult<Typed<'py, typed::GuardWord>> {
        let state = self.ask(|lease| Ok(lease.guard_state())).unwrap_or(GuardState::None);
        Typed::new(state.as_str(), py)
    }

    /// A `socket.socket` bound to the port at `index`, to hand to the server itself: `asyncio`'s `sock=`, uvicorn's `fd=`,
    /// gunicorn's `fd://`. Nobody can come in between: a TCP socket is bound over a guard of this lease.
    ///
    /// `type` is `socket.SOCK_STREAM` or `socket.SOCK_DGRAM`; `host` an IP address, `"localhost"`, or `""` for every IPv4
    /// address (`"::"` for every one). A TCP socket listens already, unless `listen` is false. It is not inherited by
    /// child processes, unless you make it so, and outlives the lease: close it before you release the port.
    ///
    /// Raises `PortInUseError` if a stranger was there first, and `InvalidArgumentError`.
    #[pyo3(signature = (index = 0, *, r#type = 1, host = "127.0.0.1", listen = true))]
    fn socket<'py>(
        &self,
        py: Python<'py>,
        index: i64,
        r#type: i32,
        host: &str,
        listen: bool,
    ) -> PyResult<Typed<'py, typed::Socket>> {
        let hand_off = hand_off(r#type, host).map_err(|error| raised(py, error))?.listen(listen);
        let count = self.ports.bind(py).len();
        let socket = self.with(py, |lease| {
            let index = usize::try_from(index).map_err(|_| ffi::no_index(index, count))?;
            lease.socket(index, &hand_off)
        })?;
        Typed::new(python_socket(py, socket)?, py)
    }

    /// Lets child processes inherit the lease: `with lease.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])`. From
    /// then on it lives until this process and every one that inherited it have let go of it or ended, and a release gives
    /// up only this process's part in it. Guards are not passed on.
    ///
    /// Raises `InvalidArgumentError` once released, and `UnsupportedError` in a forked child.
    fn inheritable(&self, py: Python<'_>) -> PyResult<Inheritable> {
        self.with(py, portalloc::Lease::inheritable).map(Inheritable::new)
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        self.ports.bind(py).len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: isize) -> PyResult<Typed<'py, typed::Int>> {
        // A negative one arrives as it is, and the tuple knows what it means.
        Typed::new(self.ports.bind(py).as_any().get_item(index)?, py)
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
            "a lease stays with the process that took it and cannot be pickled or copied: send its ports, or pass it on with inheritable()",
        ))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let state = if self.is_released() {
            ", released"
        } else if self.held() {
            ""
        } else {
            ", lost"
        };
        let ports: Vec<u16> = self.ports.bind(py).extract()?;
        Ok(format!("<Lease {}{state}>", shown(&ports)))
    }
}

/// Python's own numbers for the kinds of sockets are the system's.
fn hand_off(kind: i32, host: &str) -> portalloc::Result<SocketOptions> {
    let address: IpAddr = ffi::address(host)?;
    Ok(match kind {
        1 => SocketOptions::tcp(),
        2 => SocketOptions::udp(),
        other => return Err(ffi::no_socket_type(other)),
    }
    .address(address))
}

/// Python's own object for a socket, which owns it from now on.
fn python_socket(py: Python<'_>, socket: OwnedFd) -> PyResult<Bound<'_, PyAny>> {
    static SOCKET: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let kwargs = [(intern!(py, "fileno"), socket.as_raw_fd())].into_py_dict(py)?;
    let made = SOCKET.import(py, "socket", "socket")?.call((), Some(&kwargs))?;
    let _ = socket.into_raw_fd();
    Ok(made)
}
