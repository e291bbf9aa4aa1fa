//! The meanings of the kernel's numbers for socket states.

use std::net::SocketAddr;

/// The stable word for a socket state of the kernel.
pub(super) fn state(protocol: &str, number: u8) -> &'static str {
    match (protocol, number) {
        ("udp", 7) => "unconnected",
        (_, 1) => "established",
        (_, 2) => "syn_sent",
        (_, 3 | 12) => "syn_received",
        (_, 4) => "fin_wait_1",
        (_, 5) => "fin_wait_2",
        (_, 6) => "time_wait",
        // Netlink and the tables show a TCP socket in this state only if it is bound.
        (_, 7 | 13) => "bound",
        (_, 8) => "close_wait",
        (_, 9) => "last_ack",
        (_, 10) => "listen",
        (_, 11) => "closing",
        _ => "unknown",
    }
}

/// `None` for the address that stands for "not connected".
pub(super) fn connected(remote: SocketAddr) -> Option<SocketAddr> {
    (remote.port() != 0).then_some(remote)
}
