//! Which ports of a pool cannot be leased, and why. Pure.

use std::fmt;

use crate::port_set::PortSet;

use super::known;

/// Ports of a pool that are never leased, for one reason.
///
/// ```
/// use portalloc::pool::{KernelPorts, Pool};
///
/// let pool = Pool::new(Some("21000-21009"), Some("21005"), &KernelPorts::default())?;
/// assert_eq!(pool.left_out()[0].to_string(), "21005 excluded");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The ports.
    pub ports: PortSet,
    /// The reason, which other ports, and these once more, may have beside others.
    pub reason: LeftOutReason,
}

/// Why a port of a pool is not leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LeftOutReason {
    /// The kernel gives it to outgoing connections and `bind(0)`: it lies in the ephemeral range.
    Ephemeral,
    /// The administrator reserved it: `ip_local_reserved_ports`.
    Reserved,
    /// The user excluded it.
    Excluded,
    /// A well-known service uses it by default.
    Known,
    /// Browsers refuse to connect to it.
    Refused,
}

impl LeftOutReason {
    /// The stable word for the reason: `ephemeral`, `reserved`, `excluded`, `known`, `refused`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ephemeral => "ephemeral",
            Self::Reserved => "reserved",
            Self::Excluded => "excluded",
            Self::Known => "known",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ports, reason } = self;
        match reason {
            LeftOutReason::Ephemeral => write!(f, "{ports} in the ephemeral range"),
            LeftOutReason::Reserved => write!(f, "{ports} in ip_local_reserved_ports"),
            LeftOutReason::Excluded => write!(f, "{ports} excluded"),
            LeftOutReason::Known => write!(f, "{ports} used by default by {}", known::services(ports)),
            LeftOutReason::Refused => write!(f, "{ports} refused by browsers"),
        }
    }
}
