//! Processes, users, namespaces and time, as far as they are asked for before a registry is opened.

use std::convert::Infallible;
use std::io;
use std::process::{Child, Command};
use std::time::Duration;

use super::{BoundPort, refused};
use crate::sys::inheritable::Inheritable;
use crate::sys::process_facts::{Lock, Marks, ProcessFacts};
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

stubs! {
    { Vec::new() } {
        fn lock_holders(lock: Lock) -> Vec<u32>;
    }
    { None } {
        fn process_facts(pid: u32, marks: Marks<'_>) -> Option<ProcessFacts>;
        fn process_name(pid: u32) -> Option<String>;
        fn user_name(user: u32) -> Option<String>;
        fn cookie() -> Option<u64>;
        fn cookie_of(port: &BoundPort) -> Option<u64>;
    }
    { Ok(0) } {
        fn network_namespace() -> io::Result<u64>;
        fn network_namespace_of_init() -> io::Result<u64>;
        fn mount_namespace() -> io::Result<u64>;
    }
    { false } {
        fn limit_reached(error: &io::Error) -> bool;
    }
    { refused() } {
        fn wait_ended(processes: &[&ProcessHandle], limit: Duration) -> io::Result<()>;
        fn keep_exit_statuses() -> io::Result<()>;
        fn spawn(command: Command, inherited: &Inheritable, activation: Option<Activation>) -> io::Result<Child>;
    }
}

pub(crate) fn replace_process(_command: Command, _inherited: &Inheritable) -> io::Error {
    super::unavailable()
}

pub(crate) fn host_name() -> String {
    String::new()
}

pub(crate) fn user_id() -> u32 {
    0
}

/// Forks are not told apart: there is nothing that a child could have of its parent.
pub(crate) fn generation() -> u64 {
    1
}

pub(crate) struct Activation {
    #[expect(dead_code, reason = "nothing is started")]
    pub(crate) sockets: Vec<ServerSocket>,
    #[expect(dead_code, reason = "nothing is started")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ProcessHandle(Infallible);

impl ProcessHandle {
    stubs! {
        { refused() } {
            fn open(pid: u32) -> io::Result<Option<Self>>;
        }
    }
}

never! { ProcessHandle
    fn terminate() -> io::Result<bool>;
    fn kill() -> io::Result<bool>;
    fn has_ended() -> bool;
}
