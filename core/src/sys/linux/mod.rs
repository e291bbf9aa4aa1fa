//! Linux.

mod files;
mod limits;
mod locks;
mod namespaces;
mod process;
mod sockets;
mod watch;

pub(crate) use files::{
    Folder, UNFINISHED, create_folder, entry, is_shared_memory_folder, mark, marked, rename_new, user_id,
};
pub(crate) use limits::{kernel_ports, limit_reached, monotonic_ms};
pub(crate) use locks::{conflict, try_lock, unlock};
pub(crate) use namespaces::{mount_namespace, network_namespace};
pub use process::ProcessStamp;
pub(crate) use process::{Judgement, host_name, process_name};
pub(crate) use sockets::ports_with_sockets;
pub(crate) use watch::CloseWatch;
