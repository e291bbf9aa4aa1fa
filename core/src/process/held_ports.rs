//! Ports that a process holds until it ends: for whoever wants a number, and no object to keep.

use std::collections::{BTreeMap, HashMap};
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use super::calls::ALLOCATORS;
use crate::error::{Error, ErrorCode, Result};
use crate::lease::Lease;
use crate::settings::Settings;
use crate::sys::PerProcess;

/// The leases behind the ports, by port. More than one of a port where threads are in several network namespaces.
static HELD: PerProcess<Mutex<HashMap<u16, Vec<Held>>>> = PerProcess::new();

struct Held {
    lease: Lease,
    place: String,
}

/// As many places as an error names.
const PLACES: usize = 3;

/// Leases one port and holds it until this process ends, or until [`give_back`]. In place of `bind(0)` and of whatever
/// only looks for a free port.
///
/// Costs one file descriptor, closed on exec. Does not block. Any thread may call it. A forked child holds none of its
/// parent's: it cannot give them back, but keeps them leased as long as it lives.
///
/// # Errors
/// As [`Allocator::lease`](crate::Allocator::lease). Where the pool is exhausted or the process has no descriptor left, the
/// error names the places of this program that have taken the most ports and not given them back.
#[track_caller]
pub fn port() -> Result<u16> {
    let caller = Location::caller();
    port_at(&Settings::new(), &format!("{}:{}", caller.file(), caller.line()))
}

/// As [`port`], with settings, and with the `place` that asks for it, such as `conftest.py:14`; an empty one is not known.
///
/// # Errors
/// As [`port`].
pub fn port_at(settings: &Settings, place: &str) -> Result<u16> {
    let leased = ALLOCATORS.with(settings, |allocator| allocator.lease(1));
    let mut held = held();
    let lease = leased.map_err(|error| name_places(error, &held))?;
    let port = lease.base_port();
    held.entry(port).or_default().push(Held { lease, place: place.to_owned() });
    Ok(port)
}

/// Gives back a port that [`port`] returned to this process. `false` if it is not one of those, or no longer: then nothing
/// happens. From here on others may be given it, so close your own sockets first.
pub fn give_back(port: u16) -> bool {
    let mut held = held();
    let Some(leases) = held.get_mut(&port) else { return false };
    let given_back = leases.pop();
    if leases.is_empty() {
        held.remove(&port);
    }
    // Others are not to wait for the kernel.
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

/// Says in an error that comes of too many ports who has taken them.
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
