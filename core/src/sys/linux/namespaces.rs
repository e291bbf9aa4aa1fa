//! Which namespaces this thread is in. Ports belong to the network namespace, PIDs to the PID namespace, paths to
//! the mount namespace; a number from another one must not be judged here.

use std::io;
use std::os::unix::fs::MetadataExt;

/// Of the calling thread, since a thread may have entered another one by itself.
pub(crate) fn network_namespace() -> io::Result<u64> {
    inode("/proc/thread-self/ns/net")
}

pub(crate) fn pid_namespace() -> io::Result<u64> {
    inode("/proc/self/ns/pid")
}

pub(crate) fn mount_namespace() -> io::Result<u64> {
    inode("/proc/thread-self/ns/mnt")
}

fn inode(path: &str) -> io::Result<u64> {
    Ok(std::fs::metadata(path)?.ino())
}
