//! The namespaces of this thread. Ports belong to the network namespace, PIDs to the PID namespace, paths to the mount
//! namespace; values from another namespace must not be judged here.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use socket2::{Domain, Socket, Type};

use super::bound_port::BoundPort;
use super::socket_numbers::number_of;
use crate::sys::unix::descriptor::socket;

/// The network namespace of the calling thread, since a single thread can enter another one.
pub(crate) fn network_namespace() -> io::Result<u64> {
    inode("/proc/thread-self/ns/net")
}

/// The network namespace of the first process, in which a machine's services run. Reading it may need root.
pub(crate) fn network_namespace_of_init() -> io::Result<u64> {
    inode("/proc/1/ns/net")
}

/// The kernel's number for the network namespace of a socket, which is much cheaper than reading /proc. `None` before
/// Linux 5.14.
pub(crate) fn cookie_of(port: &BoundPort) -> Option<u64> {
    namespace_cookie(port.socket())
}

/// The same number for the calling thread's network namespace.
pub(crate) fn cookie() -> Option<u64> {
    namespace_cookie(&socket(Domain::UNIX, Type::DGRAM, None).ok()?)
}

fn namespace_cookie(socket: &Socket) -> Option<u64> {
    number_of(socket.as_raw_fd(), libc::SO_NETNS_COOKIE).ok()
}

pub(crate) fn pid_namespace() -> io::Result<u64> {
    inode("/proc/self/ns/pid")
}

/// 0 on a kernel without time namespaces, where all processes share one clock.
pub(crate) fn time_namespace() -> u64 {
    inode("/proc/self/ns/time").unwrap_or(0)
}

pub(crate) fn mount_namespace() -> io::Result<u64> {
    inode("/proc/thread-self/ns/mnt")
}

pub(super) fn inode(path: &str) -> io::Result<u64> {
    Ok(std::fs::metadata(path)?.ino())
}
