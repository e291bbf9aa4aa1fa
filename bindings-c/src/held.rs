//! Ports that the process holds until it ends: a number and no handle.

use std::ffi::c_char;

use portalloc_core::ffi::port_at;
use portalloc_core::give_back;

use crate::options::{PortOptions, settings};
use crate::pointers::{shown, sized, write};
use crate::results::{ResultNumber, call, value};

/// Leases one port and holds it until this process ends or calls portalloc_give_back. Call it through the macro
/// `portalloc_port`, which passes the calling file and line as `place`; NULL means unknown. If the pool is exhausted or the
/// process is out of file descriptors, the message names the places that have leased the most ports and not given them back.
///
/// Costs one file descriptor, closed on exec. Does not block. A forked child holds none of its parent's ports: it cannot give
/// them back, and they stay leased until both have ended or the parent gives them back. Fails as portalloc_lease_new does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_port_at(
    place: *const c_char,
    options: *const PortOptions,
    out: *mut u16,
) -> ResultNumber {
    let make = || {
        // SAFETY: the caller keeps to the header's conventions; zeros are NULL pointers.
        let options = unsafe { sized(options) }?;
        // SAFETY: the caller keeps to the header's conventions.
        let settings = unsafe { settings(options.pool, options.exclude) }?;
        // SAFETY: the caller keeps to the header's conventions.
        port_at(&settings, &unsafe { shown(place) })
    };
    // SAFETY: the caller keeps to the header's conventions.
    call(|| unsafe { write(out, make) })
}

/// Gives back a port of portalloc_port. Close your own sockets first: from now on another process may be given the port.
/// Returns false, and does nothing, if this process does not hold `port` by portalloc_port.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_give_back(port: i64) -> bool {
    value(false, || Ok(u16::try_from(port).is_ok_and(give_back)))
}
