//! Linux.

#[expect(unsafe_code, reason = "only a system call can set what a signal does")]
mod children;
mod descriptor;
mod files;
#[expect(unsafe_code, reason = "only system calls and libc know of forks")]
mod fork;
#[expect(unsafe_code, reason = "a handler in a forked child may do nothing but system calls")]
mod guard_sockets;
mod holders;
mod limits;
#[expect(unsafe_code, reason = "no safe call takes 64-bit offsets on every target")]
mod locks;
mod namespaces;
mod port_sockets;
mod process;
mod ready;
mod sock_diag;
#[expect(unsafe_code, reason = "between fork and exec nothing but system calls will do")]
mod spawn;
mod watch;

pub(crate) use children::keep_exit_statuses;
pub(crate) use descriptor::{Marked, above_standard, socket};
pub(crate) use files::{
    Entry, Folder, KEEP, UNFINISHED, entry, exchange, file_time, is_absent, is_roots_shared_folder, keep_on_exec, mark,
    marked, remove_all, rename_new, user_id, written_us,
};
pub(crate) use fork::generation;
pub(crate) use guard_sockets::GuardSocket;
pub(crate) use holders::{SocketHolder, socket_holders, user_name};
pub(crate) use limits::{kernel_ports, limit_reached};
pub(crate) use locks::{conflict, try_lock, unlock};
pub(crate) use namespaces::{cookie, cookie_of, mount_namespace, network_namespace, network_namespace_of_init};
pub(crate) use port_sockets::{PortSocket, PortSockets, port_sockets};
pub use process::ProcessStamp;
pub(crate) use process::{Judgement, host_name, process_name};
pub(crate) use ready::wait_connected;
pub(crate) use spawn::{Activation, spawn};
pub(crate) use watch::CloseWatch;
