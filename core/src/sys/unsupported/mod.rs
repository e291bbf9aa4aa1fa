//! Platforms on which portalloc cannot hold ports yet: programs that depend on it compile, and opening a registry
//! returns an error. Nothing else here is ever called, so the types that need a registry have no values.

/// Functions that all return the same, whatever they are given.
macro_rules! stubs {
    ($($body:block { $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)* })*) => {
        $($(pub(crate) fn $name($(_: $type),*) -> $result $body)*)*
    };
}

/// Methods of a value that is never made.
macro_rules! never {
    ($of:ident $(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        impl $of {
            $(pub(crate) fn $name(&self, $(_: $type),*) -> $result {
                match self.0 {}
            })*
        }
    };
}

pub(crate) mod doctor_words;
mod files;
mod machine;
mod processes;
mod sockets;
pub(crate) mod words;

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::marker::PhantomData;

use crate::port_set::PortRange;
use crate::sys::entry::FileId;
use crate::sys::inheritable::Inheritable;

pub(crate) use files::{
    AT_BOOT, Directory, KEEP, PLAIN, SET_UP, UNFINISHED, create_new, create_private, create_private_directory, entry,
    entry_of, exchange, file_time, forget_at_boot, is_absent, is_roots_shared_directory, leads_in_a_circle, make_alike,
    make_at_boot, mark, marked, open_to_change, open_without_following, open_without_waiting, plain_temp_directory,
    read_exact_at, remove_all, remove_file, rename_new, try_lock_file, write_all_at, write_to_standard_error,
};
pub(crate) use machine::{
    can_watch, descriptor_limit, file_size_limit, first_unprivileged_port, hidden, kernel_release, maps_all_users,
    mount_of, namespaces, process_names, sandboxes, sees_own_processes,
};
pub(crate) use processes::{
    Activation, ProcessHandle, cookie, cookie_of, generation, host_name, keep_exit_statuses, limit_reached,
    lock_holders, mount_namespace, network_namespace, network_namespace_of_init, process_facts, process_name,
    replace_process, spawn, user_id, user_name, wait_ended,
};
pub(crate) use sockets::{
    BoundPort, CloseWatch, GuardSocket, is_connecting, is_no_such_family, is_port_forbidden, is_port_taken,
    kernel_ports, port_sockets, socket, socket_holders, wait_connected,
};

pub(crate) fn unsupported() -> Option<String> {
    Some(why())
}

fn why() -> String {
    format!("portalloc does not run on this platform yet ({})", std::env::consts::OS)
}

fn unavailable() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why())
}

fn refused<T>() -> io::Result<T> {
    Err(unavailable())
}

pub(crate) fn try_lock(_file: &File, _range: PortRange) -> io::Result<bool> {
    refused()
}

pub(crate) fn try_lock_byte(_file: &File, _byte: u64) -> io::Result<bool> {
    refused()
}

pub(crate) fn try_share_byte(_file: &File, _byte: u64) -> io::Result<bool> {
    refused()
}

pub(crate) fn unlock_byte(_file: &File, _byte: u64) -> io::Result<()> {
    refused()
}

pub(crate) fn unlock(_file: &File, _range: PortRange) -> io::Result<()> {
    refused()
}

pub(crate) fn conflict(_file: &File, _range: PortRange) -> io::Result<Option<PortRange>> {
    refused()
}

pub(crate) fn share(_file: &File) -> io::Result<Inheritable> {
    refused()
}

pub(crate) fn let_inherit(_shared: &Inheritable) -> io::Result<()> {
    refused()
}

#[derive(Debug)]
pub(crate) struct Marked<T>(Infallible, PhantomData<T>);

impl Marked<File> {
    pub(crate) fn by_position(_file: File, _position: u64) -> io::Result<Self> {
        refused()
    }
}

impl<T> Marked<T> {
    pub(crate) fn was(&self, _id: FileId) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_ours(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn take(&mut self) -> Option<T> {
        match self.0 {}
    }

    pub(crate) fn open(&self) -> &T {
        match self.0 {}
    }
}
