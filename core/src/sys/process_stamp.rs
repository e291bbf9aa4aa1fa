//! Identifies a process, and tells whether it still runs.
//!
//! A PID alone identifies no process, because PIDs are reused. Together with the start time it does, within one PID and
//! one time namespace. From another namespace a process cannot be judged; then it counts as running, so that nothing is
//! removed on a guess. After a reboot every PID is unused or has another start time, so the boot need not be recorded:
//! sandboxes show a boot ID of their own.

use serde::{Deserialize, Serialize};

/// Identifies a process, so that no later process is mistaken for it.
///
/// [`Record`](crate::registry::Record) has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessStamp {
    /// The process ID, in its PID namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`), by the clock of its time namespace.
    pub start_time: u64,
    /// The inode of its PID namespace.
    pub pid_namespace: u32,
    /// The inode of its time namespace; 0 before Linux 5.6, which has only one.
    pub time_namespace: u32,
}

/// Whether a process still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveness {
    /// It runs, as seen from this process.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing can be said of a process"))]
    Running,
    /// It has certainly ended.
    Ended,
    /// It cannot be judged from this process.
    Unknown,
}
