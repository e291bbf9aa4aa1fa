//! Platform-specific parts of messages.

pub(crate) const LIBC: &str = "the system's";
pub(crate) const NO_NETWORK_NAMESPACE: &str = "cannot tell this thread's network namespace";
pub(crate) const NO_MOUNT_NAMESPACE: &str = "cannot tell this process's mount namespace";
pub(crate) const NO_PROCESS: &str = "cannot tell what this process is";
pub(crate) const NO_SOCKETS: &str = "cannot read the system's sockets";
pub(crate) const NO_EXIT_STATUSES: &str = "cannot keep exit statuses";
pub(crate) const IN_PROCESSES: &str = "among the system's processes";
pub(crate) const MOUNT_PROC: &str = "let this process see the system's processes";
pub(crate) const RAISE_LIMIT: &str = "close some files or raise the limit on open ones";
pub(crate) const ALLOW_LOW_PORTS: &str = "ask for other ports";
pub(crate) const NAME_ADDRESS: &str = "use 127.0.0.1, ::1, 0.0.0.0, :: or another address of this machine";
pub(crate) const END_HOLDERS: &str = "stop what uses them, or wait longer";
pub(crate) const BE_ROOT: &str = "run it as an administrator";

pub(crate) fn let_write(root: &str) -> String {
    format!("let this process write to {root}, or set PORTALLOC_DIR to another directory")
}
