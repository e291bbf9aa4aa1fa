//! `portalloc run`, the parent of somebody's program: what goes through, descriptors, signals, terminals, programs that
//! cannot be started, processes that outlive it, sockets passed on, and real servers.

mod limits;
mod passing;
mod processes;
mod running;
#[expect(dead_code, reason = "some of it is for the other commands")]
#[path = "../common/scratch.rs"]
mod scratch;
mod servers;
mod signals;
#[path = "../../../tests/src/slice.rs"]
mod slice;
mod sockets;
mod starting;
mod terminals;
mod work_trees;
