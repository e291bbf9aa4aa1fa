//! Linux.

#[expect(unsafe_code, reason = "only a system call can set what a signal does")]
mod children;
mod files;
#[expect(unsafe_code, reason = "only system calls and libc know of forks")]
mod fork;
mod holders;
mod limits;
mod locks;
mod namespaces;
mod port_sockets;
mod process;
mod ready;
mod sock_diag;
mod sockets;
#[expect(unsafe_code, reason = "between fork and exec nothing but system calls will do")]
mod spawn;
mod watch;

pub(crate) use children::keep_exit_statuses;
pub(crate) use files::{
    Entry, Folder, UNFINISHED, create_folder, entry, exchange, file_time, is_shared_memory_folder, keep_on_exec, mark,
    marked, rename_new, user_id, written_us,
};
pub(crate) use fork::{generation, in_forked_child};
pub(crate) use holders::{SocketHolder, socket_holders, user_name};
pub(crate) use limits::{kernel_ports, limit_reached, monotonic_ms};
pub(crate) use locks::{conflict, try_lock, unlock};
pub(crate) use namespaces::{cookie, cookie_of, mount_namespace, network_namespace};
pub(crate) use port_sockets::{PortSocket, PortSockets, port_sockets};
pub use process::ProcessStamp;
pub(crate) use process::{Judgement, host_name, process_name};
pub(crate) use ready::wait_connected;
pub(crate) use sockets::ports_with_sockets;
pub(crate) use spawn::{Activation, spawn};
pub(crate) use watch::CloseWatch;
