//! Counts what every port of the pool is doing. Slow (it probes every port that nobody claims), so only for errors
//! and on request.

use crate::error::{Error, Result};
use crate::pool::{Census, Pool, PortRange};
use crate::probe::{Occupancy, probe};
use crate::registry::{PortsFile, Registry, Standing};
use crate::sys::ProcessStamp;

/// What one port adds to the count.
enum Mark {
    Held,
    Kept,
    Stale,
    Stranger,
    Denied,
    Free,
}

/// Takes the census, through a description that has no locks of its own.
pub(crate) fn take(registry: &Registry, ports: &PortsFile, pool: &Pool, here: &ProcessStamp) -> Result<Census> {
    let mut census = Census { pool: pool.ports().count(), ..Census::default() };
    for range in pool.ports().ranges() {
        let locked = registry.locked(ports, *range)?;
        let mut run = 0;
        for port in range.ports() {
            let mark = if locked.contains(port) { Mark::Held } else { mark(registry, ports, port, here)? };
            run = if matches!(mark, Mark::Free | Mark::Stale) { run + 1 } else { 0 };
            census.longest_run = census.longest_run.max(run);
            *match mark {
                Mark::Held => &mut census.held,
                Mark::Kept => &mut census.kept,
                Mark::Stale => &mut census.stale,
                Mark::Stranger => &mut census.strangers,
                Mark::Denied => &mut census.denied,
                Mark::Free => &mut census.free,
            } += 1;
        }
    }
    Ok(census)
}

fn mark(registry: &Registry, ports: &PortsFile, port: u16, here: &ProcessStamp) -> Result<Mark> {
    let range = PortRange::one(port);
    if !ports.try_lock(range)? {
        return Ok(Mark::Held);
    }
    let mark = match registry.standing(ports, port, ports.read_one(port)?, here)? {
        Standing::Kept(_) => Ok(Mark::Kept),
        standing => match probe(port) {
            Ok(Occupancy::Free) if matches!(standing, Standing::Stale(_)) => Ok(Mark::Stale),
            Ok(Occupancy::Free) => Ok(Mark::Free),
            Ok(Occupancy::Tcp | Occupancy::Udp) => Ok(Mark::Stranger),
            Ok(Occupancy::Denied) => Ok(Mark::Denied),
            Err(error) => Err(Error::os(format!("cannot probe port {port}"), error)),
        },
    };
    ports.unlock(range)?;
    mark
}
