//! What the log says of ports that are refused. Reads what a search itself does not need, so nothing here is called unless
//! the log asks.

use crate::check;
use crate::pool::PortRange;
use crate::port_state::{PortState, PortUsage};
use crate::probe::Occupancy;
use crate::registry::{Label, PortsFile};
use crate::sys::ProcessStamp;
use crate::time::Timestamp;

/// Whose lock is in the way of `run`.
pub(super) fn of_lock(ports: &PortsFile, run: PortRange, here: &ProcessStamp) -> String {
    match ports.conflict(run) {
        Ok(Some(lock)) => of_label(ports, lock.intersection(run).unwrap_or(run).first(), here),
        _ => format!("port {run} was locked a moment ago"),
    }
}

/// Whose label a port has.
pub(super) fn of_label(ports: &PortsFile, port: u16, here: &ProcessStamp) -> String {
    match ports.read_one(port) {
        Ok(slot) => match slot.label().filter(|label| label.is_kept()) {
            Some(label) => of_kept(port, &label),
            None => PortState { port, usage: check::held(slot, here) }.to_string(),
        },
        Err(error) => error.to_string(),
    }
}

/// Which environment keeps a port.
pub(super) fn of_kept(port: u16, label: &Label) -> String {
    let since = Timestamp::from_unix_ms(label.since_ms);
    match label.id {
        Some(id) => PortState { port, usage: PortUsage::Kept { id, since } }.to_string(),
        None => format!("port {port} has a label of an environment without an ID, since {since}"),
    }
}

/// What the probe found on a port.
pub(super) fn of_probe(port: u16, found: Occupancy) -> String {
    let usage = match found {
        Occupancy::Free => PortUsage::Free,
        Occupancy::Tcp => PortUsage::Bound { protocol: "tcp" },
        Occupancy::Udp => PortUsage::Bound { protocol: "udp" },
        Occupancy::Denied => PortUsage::Denied,
    };
    PortState { port, usage }.to_string()
}
