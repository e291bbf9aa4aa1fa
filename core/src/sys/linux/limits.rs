//! What the kernel keeps for itself, and how it says that a limit is reached.

use std::io;

use crate::port_set::{KernelPorts, PortRange, PortSet};

/// Reads the ephemeral range and the reserved ports. Where `/proc/sys` is not readable (some sandboxes), the
/// kernel's compiled-in default range is assumed.
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

/// Whether this is the limit on open descriptors, of the process or of the machine.
pub(crate) fn limit_reached(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}
