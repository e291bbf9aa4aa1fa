//! Ports that a process holds until it ends, for callers that want a number and no object to keep.

use std::collections::{BTreeMap, HashMap};
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use super::calls::ALLOCATORS;
use crate::error::{Error, ErrorCode, Result};
use crate::lease::{Lease, LeaseRequest};
use crate::settings::Settings;
use crate::sys::PerProcess;

/// The leases of the ports, by port. A port has more than one if threads are in several network namespaces.
static HELD: PerProcess<Mutex<HashMap<u16, Vec<Held>>>> = PerProcess::new();

struct Held {
    lease: Lease,
    place: String,
}

/// How many places in the program an error names.
const PLACES: usize = 3;

/// Leases one port and holds it until this process ends, or until [`give_back`]. Replaces `bind(0)` and functions that
/// only search for a free port.
///
/// Costs one file descriptor, which is closed on exec. Does not block. Any thread may call it. A forked child holds
/// none of its parent's ports: it cannot give them back, but they stay leased while the child lives.
///
/// # Errors
/// As [`Allocator::lease`](crate::Allocator::lease). If the pool is exhausted or the process has no descriptor left,
/// the error names the places in this program that have taken the most ports without giving them back.
#[track_caller]
pub fn port() -> Result<u16> {
    let caller = Location::caller();
    port_at(&Settings::new(), &format!("{}:{}", caller.file(), caller.line()))
}

/// As [`port`], with settings, and with the `place` of the call, such as `conftest.py:14`; empty if it is unknown.
///
/// # Errors
/// As [`port`].
pub fn port_at(settings: &Settings, place: &str) -> Result<u16> {
    let request = LeaseRequest::run(1).place(place);
    let leased = ALLOCATORS.with(settings, |allocator| allocator.lease(request));
    let mut held = held();
    let lease = leased.map_err(|error| name_places(error, &held))?;
    let port = lease.base_port();
    held.entry(port).or_default().push(Held { lease, place: place.to_owned() });
    Ok(port)
}

/// Gives back a port that [`port`] returned to this process. Returns `false`, and does nothing, if this process does
/// not hold it that way. Others may be given the port from now on, so close your own sockets first.
pub fn give_back(port: u16) -> bool {
    let mut held = held();
    let Some(leases) = held.get_mut(&port) else { return false };
    let given_back = leases.pop();
    if leases.is_empty() {
        held.remove(&port);
    }
    // Other threads must not wait for the kernel.
    drop(held);
    given_back.is_some_and(|Held { lease, .. }| {
        let was_held = lease.is_held();
        lease.release();
        was_held
    })
}

fn held() -> std::sync::MutexGuard<'static, HashMap<u16, Vec<Held>>> {
    HELD.get().lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds the places that have taken the ports to an error caused by too many of them.
fn name_places(error: Error, held: &HashMap<u16, Vec<Held>>) -> Error {
    if error.code() != ErrorCode::PoolExhausted && !error.is_descriptor_limit() {
        return error;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for Held { place, .. } in held.values().flatten() {
        let place = if place.is_empty() { "an unknown place" } else { place };
        *counts.entry(place).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    if total == 0 {
        return error;
    }
    let mut most: Vec<_> = counts.into_iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<String> = most.iter().take(PLACES).map(|(place, count)| format!("{count} at {place}")).collect();
    let code = error.code();
    let prefix = format!(
        "this process holds {total} {} that it has not given back, taken by port(): {}; ",
        if total == 1 { "port" } else { "ports" },
        shown.join(", ")
    );
    error.recast(code, &prefix)
}
