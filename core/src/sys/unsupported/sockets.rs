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

pub(crate) fn port_sockets(_ports: &BTreeSet<u16>) -> io::Result<PortSockets> {
    refused()
}

pub(crate) fn socket_holders(_wanted: &HashSet<u64>) -> BTreeMap<u64, Vec<SocketHolder>> {
    BTreeMap::new()
}

pub(crate) fn socket(_domain: Domain, _kind: Type, _protocol: Option<Protocol>) -> io::Result<Socket> {
    refused()
}

pub(crate) fn is_connecting(_error: &io::Error) -> bool {
    false
}

pub(crate) fn is_no_such_family(_error: &io::Error) -> bool {
    false
}

pub(crate) fn is_port_taken(_error: &io::Error) -> bool {
    false
}

pub(crate) fn is_port_forbidden(_error: &io::Error) -> bool {
    false
}

pub(crate) fn wait_connected(_sockets: &[&Socket], _limit: Duration) -> io::Result<()> {
    refused()
}

#[derive(Debug)]
pub(crate) struct BoundPort(Infallible);

impl BoundPort {
    pub(crate) fn new(_port: u16, _kind: Type, _over_resting: bool) -> io::Result<Self> {
        refused()
    }

    pub(crate) fn shut(&self) -> io::Result<()> {
        match self.0 {}
    }
}

#[derive(Debug)]
pub(crate) struct GuardSocket(Infallible);

impl GuardSocket {
    pub(crate) fn new(port: BoundPort) -> io::Result<Self> {
        match port.0 {}
    }

    pub(crate) fn open(&self, _open: bool) -> io::Result<()> {
        match self.0 {}
    }
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
