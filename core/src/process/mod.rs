//! The process-wide state of this library, all of it: the ports that the process holds until it ends, and pending
//! warnings. A forked child starts without either.

mod calls;
mod held_ports;
mod maker;
mod warnings;

pub use calls::{environment, lease};
pub use held_ports::{give_back, port, port_at};
pub use maker::Maker;
pub use warnings::{Warning, take_warnings, warn_once};
