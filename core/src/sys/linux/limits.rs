//! The ports that the kernel reserves, and the clock of file timestamps.

use std::time::Duration;

use crate::port_set::{KernelPorts, PortRange, PortSet};

/// Reads the ephemeral range and the reserved ports. Assumes the kernel's default range if `/proc/sys` is not readable,
/// as in some sandboxes.
pub(crate) fn kernel_ports() -> KernelPorts {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let reserved = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_reserved_ports").unwrap_or_default();
    let mut ends = range.split_whitespace().map(|end| end.parse::<u16>());
    let ephemeral = match (ends.next(), ends.next()) {
        (Some(Ok(first)), Some(Ok(last))) => PortRange::new(first.max(1), last),
        _ => PortRange::new(32768, 60999),
    };
    KernelPorts { ephemeral, reserved: PortSet::parse(&reserved).unwrap_or_default() }
}

/// The current time by the kernel's clock for file timestamps, since 1970.
pub(crate) fn file_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    now.try_into().unwrap_or_default()
}

/// Why portalloc cannot hold ports on this kernel; `None` if it can.
pub(crate) fn unsupported() -> Option<String> {
    None
}
