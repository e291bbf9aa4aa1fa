//! `portalloc run`, the parent of somebody's program: what goes through, descriptors, signals, terminals, programs that
//! cannot be started, processes that outlive it, sockets passed on, and real servers.

mod leftovers;
mod limits;
mod passing;
mod processes;
mod servers;
mod signals;
mod sockets;
mod starting;
mod terminals;
mod worktrees;

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");
