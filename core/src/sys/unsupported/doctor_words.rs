//! Platform-specific parts of the doctor's lines.

pub(crate) const EPHEMERAL: &str = "the system's range";
pub(crate) const RESERVED: &str = "the system";
pub(crate) const UNPRIVILEGED: &str = "the system's limit";
pub(crate) const LOOPBACK_UP: &str = "bring the loopback interface up";
pub(crate) const OTHER_FILE_SYSTEM: &str = "set PORTALLOC_DIR to a directory on another local file system";
pub(crate) const FIND_LOCKER: &str = "end the process that locks the whole `ports` file";
pub(crate) const RAISE_DESCRIPTORS: &str = "raise the limit";
pub(crate) const RAISE_FILE_SIZE: &str = "raise the limit";
pub(crate) const NO_WATCH: &str = "a process that waits for ports checks again and again";
pub(crate) const MORE_WATCHES: &str = "nothing can be done";
pub(crate) const PROCESSES_SHOWN: &str = "processes can be seen";
pub(crate) const OWN_PROCESSES: &str = "which can be seen";
pub(crate) const OTHER_PROCESSES: &str = "which cannot be seen";
pub(crate) const SHOW_OWN_PROCESSES: &str = "let this process see the others";
