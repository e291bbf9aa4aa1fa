//! What every port of the pool is doing. The census probes every port that nobody claims: exact, but slow and, for a
//! moment, in the way; so only for errors and on request. The map only reads, and may be looked at all day.

use std::collections::BTreeSet;

use crate::allocator::Allocator;
use crate::error::{Error, Result};
use crate::pool::{Census, Pool, PoolMap, PortClass, PortRange};
use crate::probe::{Occupancy, probe};
use crate::registry::{LabelState, PortsFile, Registry, Slot};
use crate::sys::{self, PortSockets, ProcessStamp};

impl Allocator {
    /// Counts what every port of the pool is doing. Probes each port that nobody claims: some 5 us a port.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn census(&self) -> Result<Census> {
        self.in_checked_registry(|Self { registry, pool, .. }| {
            take(registry, &registry.ports()?, pool, &registry.process()?)
        })
    }

    /// What every port of the pool is doing, as far as can be seen without getting in anybody's way: nothing is locked,
    /// probed or changed, so that it may be drawn again and again. Locks and labels tell whose a port is, the kernel's
    /// tables which of the others have a socket.
    ///
    /// It is no picture of one instant: a port that another process is just trying is shown as held. It does not see
    /// that this user may not bind a port (never [`PortClass::Denied`], which only a probe
    /// finds out), nor, before Linux 6.8, TCP sockets that are bound and neither listen nor are connected
    /// ([`PoolMap::is_complete`]).
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn pool_map(&self) -> Result<PoolMap> {
        self.in_checked_registry(|Self { registry, pool, .. }| {
            map(registry, &registry.ports()?, pool, &registry.process()?)
        })
    }
}

/// Takes the census, through a description that has no locks of its own.
pub(crate) fn take(registry: &Registry, ports: &PortsFile, pool: &Pool, here: &ProcessStamp) -> Result<Census> {
    let mut classes = Vec::with_capacity(pool.ports().count());
    for range in pool.ports().ranges() {
        let locked = ports.locked(*range)?;
        let all: Vec<u16> = range.ports().collect();
        for run in
            all.chunk_by(|a, b| !locked.contains(*a) && !locked.contains(*b)).flat_map(|run| run.chunks(PROBE_BATCH))
        {
            match run.first().zip(run.last()).and_then(|(first, last)| PortRange::new(*first, *last)) {
                Some(run) if locked.contains(run.first()) => classes.push((run.first(), PortClass::Held)),
                Some(run) => probe_run(registry, ports, run, here, &mut classes)?,
                None => {}
            }
        }
    }
    Ok(PoolMap::new(classes, true).census())
}

/// Draws the map, through a description that has no locks of its own.
pub(crate) fn map(registry: &Registry, ports: &PortsFile, pool: &Pool, here: &ProcessStamp) -> Result<PoolMap> {
    let mut classes = Vec::with_capacity(pool.ports().count());
    for range in pool.ports().ranges() {
        let locked = ports.locked(*range)?;
        for (port, slot) in range.ports().zip(ports.read(*range)?) {
            let class = if locked.contains(port) { PortClass::Held } else { seen(registry, ports, port, slot, here)? };
            classes.push((port, class));
        }
    }
    let unclaimed: BTreeSet<u16> =
        classes.iter().filter(|(_, class)| is_unclaimed(*class)).map(|(port, _)| *port).collect();
    let PortSockets { sockets, with_bound } =
        sys::port_sockets(&unclaimed).map_err(|error| Error::os("cannot read the kernel's table of sockets", error))?;
    let bound: BTreeSet<u16> = sockets.iter().map(|socket| socket.local.port()).collect();
    for (port, class) in &mut classes {
        if is_unclaimed(*class) && bound.contains(port) {
            *class = PortClass::Stranger;
        }
    }
    Ok(PoolMap::new(classes, with_bound))
}

/// Whether nobody may mind a stranger on it.
fn is_unclaimed(class: PortClass) -> bool {
    matches!(class, PortClass::Free | PortClass::Stale)
}

/// Ports locked at a time while they are probed. Each lock and unlock costs time in proportion to the locks that there are;
/// and whoever wants one of these ports meanwhile waits for some microseconds for each.
const PROBE_BATCH: usize = 16;

/// Ports that nobody had locked a moment ago, all under one lock; one by one if somebody has a part of them by now.
fn probe_run(
    registry: &Registry,
    ports: &PortsFile,
    run: PortRange,
    here: &ProcessStamp,
    classes: &mut Vec<(u16, PortClass)>,
) -> Result<()> {
    if let Some(_lock) = ports.try_lock(run)? {
        for port in run.ports() {
            classes.push((port, probed(registry, ports, port, here)?));
        }
        return Ok(());
    }
    for port in run.ports() {
        let class = match ports.try_lock(PortRange::one(port))? {
            Some(_lock) => probed(registry, ports, port, here)?,
            None => PortClass::Held,
        };
        classes.push((port, class));
    }
    Ok(())
}

/// By label and probe, of a port whose lock is taken.
fn probed(registry: &Registry, ports: &PortsFile, port: u16, here: &ProcessStamp) -> Result<PortClass> {
    match claimed(registry.standing(ports, port, ports.read_one(port)?, here)?) {
        PortClass::Kept => Ok(PortClass::Kept),
        unclaimed => match probe(port) {
            Ok(Occupancy::Free) => Ok(unclaimed),
            Ok(Occupancy::Tcp | Occupancy::Udp) => Ok(PortClass::Stranger),
            Ok(Occupancy::Denied) => Ok(PortClass::Denied),
            Err(error) => Err(Error::os(format!("cannot probe port {port}"), error)),
        },
    }
}

/// By its label, of a port that was not locked a moment ago.
///
/// Whoever makes or removes an environment does so under the port's lock, and half of it looks stale: such a port is
/// looked at again once it is known that nobody is at it.
fn seen(registry: &Registry, ports: &PortsFile, port: u16, slot: Slot, here: &ProcessStamp) -> Result<PortClass> {
    let class = claimed(registry.standing_as_seen(ports, port, slot, here)?);
    if class != PortClass::Stale {
        return Ok(class);
    }
    if ports.conflict(PortRange::one(port))?.is_some() {
        return Ok(PortClass::Held);
    }
    Ok(claimed(registry.standing_as_seen(ports, port, ports.read_one(port)?, here)?))
}

fn claimed(standing: LabelState) -> PortClass {
    match standing {
        LabelState::Kept(_) => PortClass::Kept,
        LabelState::Stale(_) => PortClass::Stale,
        LabelState::Free => PortClass::Free,
    }
}
