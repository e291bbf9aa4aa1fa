//! Ports and sockets: nothing is bound or read.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::refused;
use crate::port_set::{KernelPorts, PortRange, PortSet};
use crate::sys::port_socket::{PortSockets, SocketHolder};

/// The ephemeral range of macOS and Windows, which is also IANA's.
pub(crate) fn kernel_ports() -> KernelPorts {
    KernelPorts { ephemeral: PortRange::new(49152, 65535), reserved: PortSet::default() }
}

stubs! {
    { refused() } {
        fn port_sockets(ports: &BTreeSet<u16>) -> io::Result<PortSockets>;
        fn socket(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket>;
        fn wait_connected(sockets: &[&Socket], limit: Duration) -> io::Result<()>;
    }
    { false } {
        fn is_connecting(error: &io::Error) -> bool;
        fn is_no_such_family(error: &io::Error) -> bool;
        fn is_port_taken(error: &io::Error) -> bool;
        fn is_port_forbidden(error: &io::Error) -> bool;
    }
}

pub(crate) fn socket_holders(_wanted: &HashSet<u64>) -> BTreeMap<u64, Vec<SocketHolder>> {
    BTreeMap::new()
}

#[derive(Debug)]
pub(crate) struct BoundPort(Infallible);

impl BoundPort {
    stubs! {
        { refused() } {
            fn new(port: u16, kind: Type, over_resting: bool) -> io::Result<Self>;
        }
    }
}

never! { BoundPort
    fn shut() -> io::Result<()>;
}

#[derive(Debug)]
pub(crate) struct GuardSocket(Infallible);

impl GuardSocket {
    pub(crate) fn new(port: BoundPort) -> io::Result<Self> {
        match port.0 {}
    }
}

never! { GuardSocket
    fn open(open: bool) -> io::Result<()>;
}

pub(crate) struct CloseWatch;

impl CloseWatch {
    pub(crate) fn new(_path: &Path) -> Self {
        Self
    }

    pub(crate) fn wait(&self, _limit: Duration) -> io::Result<bool> {
        refused()
    }
}
