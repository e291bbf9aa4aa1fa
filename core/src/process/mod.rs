//! The process-wide state of this library, all of it: the ports that the process holds until it ends, where its
//! leases were taken, and pending warnings. A forked child starts without them.

mod calls;
mod held_ports;
mod maker;
mod places;
mod warnings;

pub use calls::{environment, lease};
pub use held_ports::{give_back, port, port_at};
pub use maker::Maker;
pub(crate) use places::{Noted, Place, taken_at};
pub use warnings::{Warning, take_warnings, warn_once};
