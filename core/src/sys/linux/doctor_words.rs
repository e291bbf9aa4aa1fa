//! Platform-specific parts of the doctor's lines: the names of settings, and remedies.

pub(crate) const EPHEMERAL: &str = "net.ipv4.ip_local_port_range";
pub(crate) const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";
pub(crate) const UNPRIVILEGED: &str = "net.ipv4.ip_unprivileged_port_start";
pub(crate) const LOOPBACK_UP: &str =
    "bring the loopback interface up (`ip link set lo up`), or let the firewall accept its traffic";
pub(crate) const OTHER_FILE_SYSTEM: &str =
    "set PORTALLOC_DIR to a directory on another local file system, such as ext4, xfs, btrfs or tmpfs";
pub(crate) const FIND_LOCKER: &str = "end the process that locks the whole `ports` file (`lslocks` shows it)";
pub(crate) const RAISE_DESCRIPTORS: &str = "raise the limit (`ulimit -n 1024`)";
pub(crate) const RAISE_FILE_SIZE: &str = "raise the limit (`ulimit -f unlimited`)";
pub(crate) const NO_WATCH: &str =
    "this user's inotify instances are used up: a process that waits for ports checks again and again";
pub(crate) const MORE_WATCHES: &str = "close watchers, or raise fs.inotify.max_user_instances";
pub(crate) const PROCESSES_SHOWN: &str = "/proc shows processes and the kernel's settings";
/// Follows `pid:[4026531836], `.
pub(crate) const OWN_PROCESSES: &str = "which /proc shows";
/// Follows `pid:[4026531836], `.
pub(crate) const OTHER_PROCESSES: &str = "while /proc shows another one: portalloc cannot judge whether owners and \
                                          holders still run, so they count as running until their locks end";
pub(crate) const SHOW_OWN_PROCESSES: &str = "mount /proc in this PID namespace (`unshare --mount-proc`)";
