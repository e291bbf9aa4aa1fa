//! One port, held until the process ends: for whoever wants a number, and no object to keep.

use portalloc::ffi::no_panic;
use pyo3::prelude::*;

use crate::arguments::Port;
use crate::call;
use crate::origin::Origin;

/// A port (1 to 65535) that is nobody else's until this process ends, however it ends, or until `give_back`. In place of
/// `bind(0)` and of whatever finds a free port and lets go of it.
///
/// - `pool`, `exclude`: ports to give out and ports never to, as for `portalloc.lease`.
///
/// Costs one file descriptor, which is closed on exec. Does not block. Any thread may call it. A forked child cannot give
/// back its parent's ports, and keeps them leased as long as it lives; those that it takes are its own.
///
/// Raises `InvalidArgumentError`, `PoolExhaustedError`, `RegistryUnusableError`, `PermissionDeniedError`, `IoError`;
/// `TypeError` for arguments of a wrong type. Where the pool is exhausted, or the process may open no more files, the error
/// names the lines of this program that have taken the most ports and not given them back.
#[pyfunction]
#[pyo3(signature = (*, pool = None, exclude = None))]
pub(crate) fn port(py: Python<'_>, pool: Option<String>, exclude: Option<String>) -> PyResult<u16> {
    let settings = call::settings(pool, exclude);
    let place = Origin::here(py).map(|origin| origin.place(py)).transpose()?.unwrap_or_default();
    let taken = no_panic(|| portalloc::ffi::port_at(&settings, &place));
    call::finished_or_undone(py, taken, |port| {
        portalloc::give_back(port);
    })
}

/// Gives back a port that `portalloc.port` returned to this process. Returns `False`, and does nothing, for any other: one
/// that was given back before, that of a lease, or that of the parent of a forked child.
///
/// From here on others may be given it, so close your own sockets first. Does not block. Any thread may call it. Raises
/// `InvalidArgumentError` outside 0 to 65535; `TypeError` for what is no whole number.
#[pyfunction]
pub(crate) fn give_back(py: Python<'_>, port: Port) -> PyResult<bool> {
    call::finished(py, no_panic(|| Ok(portalloc::give_back(port.0))))
}
