//! What a process has as a whole, and nowhere else in this library: the ports that it holds until it ends, and what it is
//! to be warned of. A forked child starts with none of it.

mod calls;
mod held_ports;
mod maker;
mod warnings;

pub use calls::{environment, lease};
pub use held_ports::{give_back, port, port_at};
pub use maker::Maker;
pub use warnings::{Warning, take_warnings, warn_once};
