//! Linux.

#[expect(unsafe_code, reason = "a handler in a forked child may do nothing but system calls")]
mod guard_sockets;
mod holders;
mod limits;
mod namespaces;
mod port_sockets;
mod process;
mod sock_diag;
mod sockets;
mod watch;

pub(crate) use super::unix::children::keep_exit_statuses;
pub(crate) use super::unix::descriptor::{Marked, above_standard, socket};
pub(crate) use super::unix::files::{
    Entry, Folder, KEEP, UNFINISHED, entry, exchange, file_time, is_absent, is_roots_shared_folder, keep_on_exec, mark,
    marked, remove_all, rename_new, user_id, written_us,
};
pub(crate) use super::unix::fork::generation;
pub(crate) use super::unix::locks::{conflict, try_lock, unlock};
pub(crate) use super::unix::ready::wait_connected;
pub(crate) use super::unix::spawn::{Activation, spawn};
pub(crate) use guard_sockets::GuardSocket;
pub(crate) use holders::{SocketHolder, socket_holders, user_name};
pub(crate) use limits::{kernel_ports, limit_reached, monotonic_ms};
pub(crate) use namespaces::{cookie, cookie_of, mount_namespace, network_namespace, network_namespace_of_init};
pub(crate) use port_sockets::{PortSocket, PortSockets, port_sockets};
pub use process::ProcessStamp;
pub(crate) use process::{Judgement, host_name, process_name};
pub(crate) use sockets::ports_with_sockets;
pub(crate) use watch::CloseWatch;
