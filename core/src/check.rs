//! What single ports are doing: by lock, label and probe.

use crate::allocator::Allocator;
use crate::error::{Error, Result};
use crate::port_set::PortRange;
use crate::port_state::{Holder, PortState, PortUsage};
use crate::probe::{Occupancy, probe};
use crate::refusals;
use crate::registry::{Claim, LabelState, PortsFile, Registry, Slot};
use crate::sys::ProcessStamp;
use crate::time::Timestamp;

impl Allocator {
    /// Whether a lease of `port` could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
    /// address. The port need not be in the pool.
    ///
    /// # Errors
    /// `invalid_argument` for port 0, `registry_unusable`, `io`.
    pub fn is_free(&self, port: u16) -> Result<bool> {
        Ok(self.check([port])?.iter().all(|state| state.usage.is_free()))
    }

    /// What each of `ports` is doing, in the order given.
    ///
    /// # Errors
    /// `invalid_argument` for port 0, `registry_unusable`, `io`.
    pub fn check(&self, ports: impl IntoIterator<Item = u16>) -> Result<Vec<PortState>> {
        let ports: Vec<u16> = ports.into_iter().collect();
        if ports.contains(&0) {
            return Err(refusals::no_port(0));
        }
        self.in_checked_registry(|Self { registry, .. }| {
            let (file, here) = (registry.ports()?, registry.process()?);
            ports.iter().map(|port| state(registry, &file, *port, &here)).collect()
        })
    }
}

/// Looks at one port: lock, label, probe. Nothing is left locked.
pub(crate) fn state(registry: &Registry, ports: &PortsFile, port: u16, here: &ProcessStamp) -> Result<PortState> {
    let kept = || {
        let slot = ports.read_one(port)?;
        Ok(match registry.standing(ports, port, slot, here)? {
            LabelState::Kept(label) => {
                label.id.map(|id| PortUsage::Kept { id, since: Timestamp::from_unix_ms(label.since_ms) })
            }
            _ => None,
        })
    };
    let usage = match under_lock(ports, port, || kept()?.map_or_else(|| probed(port), Ok))? {
        Some(usage) => usage,
        None => held(ports.read_one(port)?, here),
    };
    Ok(PortState { port, usage })
}

/// Whether anything is bound to the port, leased or not. `None`: somebody has its lock, and it must not be probed.
pub(crate) fn is_bound(ports: &PortsFile, port: u16) -> Result<Option<bool>> {
    Ok(occupied(ports, port)?.map(|usage| matches!(usage, PortUsage::Bound { .. })))
}

/// What the probe says of the port, leased or not. `None`: somebody has its lock, and it must not be probed.
pub(crate) fn occupied(ports: &PortsFile, port: u16) -> Result<Option<PortUsage>> {
    under_lock(ports, port, || probed(port))
}

/// Does `work` under the lock of `port`, or nothing if somebody else has it.
fn under_lock<T>(ports: &PortsFile, port: u16, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    let Some(_lock) = ports.try_lock(PortRange::one(port))? else { return Ok(None) };
    work().map(Some)
}

/// What the probe says of a port whose lock is taken.
fn probed(port: u16) -> Result<PortUsage> {
    Ok(match probe(port).map_err(|error| Error::os(format!("cannot probe port {port}"), error))? {
        Occupancy::Free => PortUsage::Free,
        Occupancy::Tcp => PortUsage::Bound { protocol: "tcp" },
        Occupancy::Udp => PortUsage::Bound { protocol: "udp" },
        Occupancy::Denied => PortUsage::Denied,
    })
}

/// What can be said of a port that somebody has locked.
pub(crate) fn held(slot: Slot, here: &ProcessStamp) -> PortUsage {
    match slot.label() {
        Some(label) => PortUsage::Held {
            holder: match label.claim {
                Claim::Held { holder } => Some(Holder::of(holder, here)),
                Claim::Kept { .. } => None,
            },
            id: label.id,
            since: Some(Timestamp::from_unix_ms(label.since_ms)),
        },
        None => PortUsage::Held { holder: None, id: None, since: None },
    }
}
