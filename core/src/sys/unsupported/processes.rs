//! Processes, users, namespaces and time, as far as they are needed before a registry is opened.

use std::io;
use std::process::{Child, Command};

use super::{BoundPort, refused};
use crate::sys::inheritable::Inheritable;
use crate::sys::process_stamp::{Liveness, ProcessStamp};
use crate::sys::server_socket::ServerSocket;

impl ProcessStamp {
    pub(crate) fn current() -> io::Result<Self> {
        refused()
    }

    pub(crate) fn running(_pid: u32) -> io::Result<Option<Self>> {
        refused()
    }

    pub(crate) fn judge(&self, _here: &Self) -> Liveness {
        Liveness::Unknown
    }
}

pub(crate) fn process_name(_pid: u32) -> Option<String> {
    None
}

pub(crate) fn host_name() -> String {
    String::new()
}

pub(crate) fn user_id() -> u32 {
    0
}

pub(crate) fn user_name(_user: u32) -> Option<String> {
    None
}

pub(crate) fn network_namespace() -> io::Result<u64> {
    Ok(0)
}

pub(crate) fn network_namespace_of_init() -> io::Result<u64> {
    Ok(0)
}

pub(crate) fn mount_namespace() -> io::Result<u64> {
    Ok(0)
}

pub(crate) fn cookie() -> Option<u64> {
    None
}

pub(crate) fn cookie_of(_port: &BoundPort) -> Option<u64> {
    None
}

/// Does not detect forks, because a child has nothing of its parent here.
pub(crate) fn generation() -> u64 {
    1
}

pub(crate) fn limit_reached(_error: &io::Error) -> bool {
    false
}

pub(crate) fn keep_exit_statuses() -> io::Result<()> {
    refused()
}

pub(crate) struct Activation {
    #[expect(dead_code, reason = "nothing is started")]
    pub(crate) sockets: Vec<ServerSocket>,
    #[expect(dead_code, reason = "nothing is started")]
    pub(crate) names: Vec<String>,
}

pub(crate) fn spawn(_command: Command, _inherited: &Inheritable, _activation: Option<Activation>) -> io::Result<Child> {
    refused()
}
