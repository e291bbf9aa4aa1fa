//! What every port of the pool is used for. The census probes every unclaimed port, which is exact, but slow, and can
//! briefly get in the way of others; so it is taken only for errors and on request. The map only reads, so it can be
//! drawn as often as you like.

use std::collections::BTreeSet;

use crate::allocator::Allocator;
use crate::error::{Error, Result};
use crate::pool::{Census, Pool, PoolMap, PortClass, PortRange};
use crate::probe::{Occupancy, probe};
use crate::registry::{LabelState, PortsFile, Registry, Slot};
use crate::sys::{self, PortSockets, ProcessStamp};

impl Allocator {
    /// Counts the ports of the pool by state. Probes each unclaimed port, which takes about 5 µs per port.
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn census(&self) -> Result<Census> {
        self.in_checked_registry(|Self { registry, pool, .. }| {
            take(registry, &registry.ports()?, pool, &registry.process()?)
        })
    }

    /// Reports the state of every port of the pool without getting in the way of other processes: it locks, probes and
    /// changes nothing, so you can call it repeatedly. Locks and labels show who holds a port; the kernel's socket
    /// tables show which of the other ports have a socket.
    ///
    /// The map is not a snapshot of one instant: a port that another process is probing is shown as held. It never
    /// shows [`PortClass::Denied`], which only a probe can find. Before Linux 6.8 it misses TCP sockets that are bound
    /// but neither listen nor are connected ([`PoolMap::is_complete`]).
    ///
    /// # Errors
    /// `registry_unusable`, `io`.
    pub fn pool_map(&self) -> Result<PoolMap> {
        self.in_checked_registry(|Self { registry, pool, .. }| {
            map(registry, &registry.ports()?, pool, &registry.process()?)
        })
    }
}

/// Takes the census, through an open file description that has no locks of its own.
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

/// Draws the map, through an open file description that has no locks of its own.
pub(crate) fn map(registry: &Registry, ports: &PortsFile, pool: &Pool, here: &ProcessStamp) -> Result<PoolMap> {
    let mut classes = Vec::with_capacity(pool.ports().count());
    for range in pool.ports().ranges() {
        let locked = ports.locked(*range)?;
        for part in range.parts(PORTS_AT_ONCE) {
            for (port, slot) in part.ports().zip(ports.read(part)?) {
                let is_held = locked.contains(port);
                let class = if is_held { PortClass::Held } else { seen(registry, ports, port, slot, here)? };
                classes.push((port, class));
            }
        }
    }
    let unclaimed: BTreeSet<u16> =
        classes.iter().filter(|(_, class)| is_unclaimed(*class)).map(|(port, _)| *port).collect();
    let PortSockets { sockets, with_bound } =
        sys::port_sockets(&unclaimed).map_err(|error| Error::os("cannot read the kernel's table of sockets", error))?;
    let bound: BTreeSet<u16> = sockets.iter().map(|socket| socket.local.port()).collect();
    for (port, class) in &mut classes {
        if is_unclaimed(*class) && bound.contains(port) {
            *class = PortClass::Foreign;
        }
    }
    Ok(PoolMap::new(classes, with_bound))
}

/// How many labels are read at a time: those of all ports would take megabytes.
const PORTS_AT_ONCE: u16 = 256;

/// True if a foreign socket overrides this class.
fn is_unclaimed(class: PortClass) -> bool {
    matches!(class, PortClass::Free | PortClass::Stale)
}

/// How many ports are locked at a time while they are probed. The cost of a lock or unlock grows with the number of
/// existing locks, while a process that wants one of these ports waits some microseconds for each port of the batch.
const PROBE_BATCH: usize = 16;

/// Probes ports that were unlocked a moment ago, all under one lock; one by one if another process has locked some of
/// them since.
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

/// Judges a port by label and probe. The caller has the port's lock.
fn probed(registry: &Registry, ports: &PortsFile, port: u16, here: &ProcessStamp) -> Result<PortClass> {
    match claimed(registry.standing(ports, port, ports.read_one(port)?, here)?) {
        PortClass::Kept => Ok(PortClass::Kept),
        unclaimed => match probe(port) {
            Ok(Occupancy::Free) => Ok(unclaimed),
            Ok(Occupancy::Tcp | Occupancy::Udp) => Ok(PortClass::Foreign),
            Ok(Occupancy::Denied) => Ok(PortClass::Denied),
            Err(error) => Err(Error::os(format!("cannot probe port {port}"), error)),
        },
    }
}

/// Judges a port that was unlocked a moment ago by its label.
///
/// A process that creates or removes an environment does so under the port's lock, and half-way through the label looks
/// stale. So a port that looks stale is checked again once no process has its lock.
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
