//! Ports that the process holds until it ends: a number and no handle.

use std::ffi::c_char;

use portalloc_core::ffi::port_at;
use portalloc_core::{Settings, give_back};

use crate::options::PortOptions;
use crate::pointers::{null, shown, sized, write};
use crate::results::{ResultNumber, call, value};

/// Leases one port and holds it until this process ends, or until portalloc_give_back. Call it by the macro `portalloc_port`,
/// which says where it stands: `place` is that place, such as "server_test.c:14"; NULL is not known. Where the pool is
/// exhausted, or the process has no descriptor left, the message names the places that have taken the most ports and not
/// given them back.
///
/// Costs one file descriptor, closed on exec. Does not block. A forked child holds none of its parent's: it cannot give them
/// back, and they stay leased until parent and child are gone, or the parent gives them back. Fails as portalloc_lease_new.
///
/// # Safety
/// `place` must be NULL or a text, `options` NULL or as its members' comments say, `out` NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portalloc_port_at(
    place: *const c_char,
    options: *const PortOptions,
    out: *mut u16,
) -> ResultNumber {
    call(|| {
        if out.is_null() {
            return Err(null("out"));
        }
        // SAFETY: as this function's caller promises; zeros are NULL pointers and no wishes.
        let settings = match unsafe { sized(options) }? {
            // SAFETY: as this function's caller promises.
            Some(options) => unsafe { options.settings() }?,
            None => Settings::new(),
        };
        // SAFETY: as this function's caller promises.
        let port = port_at(&settings, &unsafe { shown(place) })?;
        // SAFETY: as this function's caller promises.
        unsafe { write(out, port) }
    })
}

/// Gives back a port of `portalloc_port` before this process ends. Close your own sockets first: from here on others may be
/// given it. False, and nothing else, if it is not one of those, or no longer, or a forked child's parent's.
#[unsafe(no_mangle)]
pub extern "C" fn portalloc_give_back(port: u16) -> bool {
    value(false, || Ok(give_back(port)))
}
