//! The ports that the kernel reserves, and the clock of file timestamps.

use std::time::Duration;

use crate::port_set::{KernelPorts, PortRange};

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
    KernelPorts { ephemeral, reserved: reserved.trim().split(',').filter_map(range_of).collect() }
}

/// A port or a range, as the kernel writes them. It takes 0 for a port, which nothing can bind.
fn range_of(item: &str) -> Option<PortRange> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    PortRange::new(first.parse::<u16>().ok()?.max(1), last.parse().ok()?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port_set::PortSet;

    #[test]
    fn port_0_is_no_reason_to_ignore_other_reserved_ports() {
        let read = |text: &str| text.split(',').filter_map(range_of).collect::<PortSet>().to_string();
        assert_eq!(read("0,25000-25009"), "25000-25009");
        assert_eq!(read("0-2,8080,65535"), "1-2,8080,65535");
        assert_eq!(read(""), "");
    }
}
