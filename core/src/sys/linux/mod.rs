//! Linux.

mod bound_port;
pub(crate) mod doctor_words;
#[expect(unsafe_code, reason = "only libc takes an environment and looks for the program")]
mod exec;
mod facts;
#[expect(unsafe_code, reason = "a handler in a forked child may do nothing but system calls")]
mod guard_sockets;
mod holders;
mod limits;
mod machine;
mod namespaces;
mod places;
mod port_sockets;
mod process;
mod process_handle;
mod registry_root;
mod sock_diag;
#[expect(unsafe_code, reason = "no crate reads every option, and none in a signal handler")]
mod socket_numbers;
mod socket_states;
mod watch;
#[expect(unsafe_code, reason = "only system calls map memory")]
mod wiped_page;
pub(crate) mod words;

pub(crate) use super::unix::children::keep_exit_statuses;
pub(crate) use super::unix::descriptor::{Marked, let_inherit, share, socket};
pub(crate) use super::unix::directory::Directory;
pub(crate) use super::unix::entries::{entry, entry_of, is_absent};
pub(crate) use super::unix::files::{
    KEEP, UNFINISHED, create_new, create_private_directory, exchange, leads_in_a_circle, mark, marked, open_to_change,
    open_without_following, open_without_waiting, plain_temp_directory, read_exact_at, remove_all, remove_file,
    rename_new, try_lock_file, write_all_at, write_to_standard_error,
};
pub(crate) use super::unix::fork::generation;
pub(crate) use super::unix::likeness::{create_private, make_alike};
pub(crate) use super::unix::limit::limit_reached;
pub(crate) use super::unix::locks::{conflict, try_lock, try_lock_byte, try_share_byte, unlock, unlock_byte};
pub(crate) use super::unix::ready::{is_connecting, is_no_such_family, wait_connected};
pub(crate) use super::unix::replace::replace_process;
pub(crate) use super::unix::spawn::{Activation, spawn};
pub(crate) use super::unix::users::{host_name, user_id, user_name};
pub(crate) use bound_port::{BoundPort, is_port_forbidden, is_port_taken};
pub(crate) use facts::{lock_holders, process_facts};
pub(crate) use guard_sockets::GuardSocket;
pub(crate) use holders::socket_holders;
pub(crate) use limits::{file_time, kernel_ports, unsupported};
pub(crate) use machine::{
    can_watch, descriptor_limit, file_size_limit, first_unprivileged_port, hidden, kernel_release, maps_all_users,
    mount_of, namespaces, process_names, sandboxes, sees_own_processes,
};
pub(crate) use namespaces::{cookie, cookie_of, mount_namespace, network_namespace, network_namespace_of_init};
pub(crate) use port_sockets::port_sockets;
pub(crate) use process::process_name;
pub(crate) use process_handle::{ProcessHandle, wait_ended};
pub(crate) use registry_root::{AT_BOOT, PLAIN, SET_UP, forget_at_boot, is_roots_shared_directory, make_at_boot};
pub(crate) use watch::CloseWatch;

// What `unix` needs from each system.
pub(super) use exec::execvpe;
pub(super) use places::{open_place, open_up};
pub(super) use socket_numbers::socket_number;
pub(super) use wiped_page::wiped_page;

#[cfg(test)]
pub(crate) use super::unix::files::make_link;
