//! What single ports are used for, by lock, label and probe.

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
    /// Returns true if `port` could be leased at this moment: it is not leased, and no TCP or UDP socket is bound to it
    /// on any address. The port need not be in the pool.
    ///
    /// # Errors
    /// `invalid_argument` for port 0, `registry_unusable`, `io`.
    pub fn is_free(&self, port: u16) -> Result<bool> {
        Ok(self.check([port])?.iter().all(|state| state.usage.is_free()))
    }

    /// Reports what each of `ports` is used for, in the order given.
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

/// Checks lock, label and probe of one port, and leaves nothing locked.
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

/// Whether a socket is bound to the port, leased or not. `None` if another process has its lock, so that it must not be
/// probed.
pub(crate) fn is_bound(ports: &PortsFile, port: u16) -> Result<Option<bool>> {
    Ok(occupied(ports, port)?.map(|usage| matches!(usage, PortUsage::Bound { .. })))
}

/// What the probe finds on the port, leased or not. `None` if another process has its lock, so that it must not be
/// probed.
pub(crate) fn occupied(ports: &PortsFile, port: u16) -> Result<Option<PortUsage>> {
    under_lock(ports, port, || probed(port))
}

/// Runs `work` under the lock of `port`, or returns `None` if another process has the lock.
fn under_lock<T>(ports: &PortsFile, port: u16, work: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    let Some(_lock) = ports.try_lock(PortRange::one(port))? else { return Ok(None) };
    work().map(Some)
}

/// The result of the probe. The caller has the port's lock.
fn probed(port: u16) -> Result<PortUsage> {
    Ok(match probe(port).map_err(|error| Error::os(format!("cannot probe port {port}"), error))? {
        Occupancy::Free => PortUsage::Free,
        Occupancy::Tcp => PortUsage::Bound { protocol: "tcp" },
        Occupancy::Udp => PortUsage::Bound { protocol: "udp" },
        Occupancy::Denied => PortUsage::Denied,
    })
}

/// What the label says about a port that another process has locked.
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
