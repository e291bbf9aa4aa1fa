//! One port, held until the process ends, for callers that want a number and no object to keep.

use portalloc::Settings;
use portalloc::ffi::no_panic;
use pyo3::prelude::*;

use crate::arguments::Port;
use crate::call;
use crate::origin::Origin;

/// A port (1 to 65535) that no other process is given until this process ends, however it ends, or until `give_back`. Use
/// it in place of `bind(0)` and of functions that find a free port and let go of it.
///
/// - `pool`, `exclude`: ports to give out, and ports never to give out, as for `portalloc.lease`.
///
/// Costs one file descriptor, which is closed on exec. Does not block. Any thread may call it. A forked child cannot give
/// back its parent's ports, and keeps them leased as long as it lives; the ports that it takes are its own.
///
/// Raises `InvalidArgumentError`, `PoolExhaustedError`, `RegistryUnusableError`, `PermissionDeniedError`,
/// `SystemCallError`; `TypeError` for arguments of a wrong type. If the pool is exhausted, or the process may open no more
/// files, the error names the lines of this program that have taken the most ports and not given them back.
#[pyfunction]
#[pyo3(signature = (*, pool = None, exclude = None))]
pub(crate) fn port(py: Python<'_>, pool: Option<String>, exclude: Option<String>) -> PyResult<u16> {
    let settings = Settings::given(None, pool, exclude);
    let place = Origin::here(py).map(|origin| origin.place(py)).transpose()?.unwrap_or_default();
    let taken = no_panic(|| portalloc::ffi::port_at(&settings, &place));
    call::finished_or_undone(py, taken, |port| {
        portalloc::give_back(port);
    })
}

/// Gives back a port that `portalloc.port` returned to this process. Returns `False`, and does nothing, for any other port:
/// one that was given back before, one of a lease, or one that the parent of a forked child took.
///
/// Others may be given the port from now on, so close your own sockets first. Does not block. Any thread may call it. Raises
/// `InvalidArgumentError` outside 0 to 65535; `TypeError` for anything that is not a whole number.
#[pyfunction]
pub(crate) fn give_back(py: Python<'_>, port: Port) -> PyResult<bool> {
    call::finished(py, no_panic(|| Ok(portalloc::give_back(port.0))))
}
