//! Platform-specific parts of messages: the names of files and tools, and remedies.

/// The C library that this was built for.
pub(crate) const LIBC: &str = if cfg!(target_env = "musl") { "musl" } else { "glibc" };
pub(crate) const NO_NETWORK_NAMESPACE: &str =
    "cannot tell this thread's network namespace from /proc/thread-self/ns/net";
pub(crate) const NO_MOUNT_NAMESPACE: &str = "cannot tell this process's mount namespace from /proc/thread-self/ns/mnt";
pub(crate) const NO_PROCESS: &str = "cannot tell what this process is from /proc/self/stat and /proc/self/ns";
pub(crate) const NO_SOCKETS: &str = "cannot read the sockets in /proc/net";
pub(crate) const NO_EXIT_STATUSES: &str = "cannot set SIGCHLD to its default";
/// Follows "cannot read process 123".
pub(crate) const IN_PROCESSES: &str = "in /proc";
pub(crate) const MOUNT_PROC: &str = "mount /proc (`mount -t proc proc /proc`), or let this process see it";
pub(crate) const RAISE_LIMIT: &str = "close some descriptors or raise the limit (ulimit -n)";
pub(crate) const ALLOW_LOW_PORTS: &str = "ask for ports from 1024 on, or lower net.ipv4.ip_unprivileged_port_start";
pub(crate) const NAME_ADDRESS: &str = "use 127.0.0.1, ::1, 0.0.0.0, :: or one that `ip address` shows";
pub(crate) const END_HOLDERS: &str =
    "stop what uses them (`ss -tuanp` shows it; TIME_WAIT lasts a minute), or wait longer";
pub(crate) const BE_ROOT: &str = "run it with sudo; without setup, all users share /tmp/portalloc, which is \
                                  enough if they trust each other";

/// The remedy for a process that may not write to the directory `root`.
pub(crate) fn let_write(root: &str) -> String {
    format!(
        "let this process write there: `ReadWritePaths={root}` in a systemd unit, a writable mount of {root} in a \
         container or sandbox; or set PORTALLOC_DIR to another directory for every process that shares the registry"
    )
}
