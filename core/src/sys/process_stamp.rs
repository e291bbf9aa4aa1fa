//! Which process is meant by a PID, and what can be said of it.
//!
//! A PID alone names nobody: it is used again. With the start time it does, within one PID and one time namespace. From
//! another namespace nothing can be said, and then a process counts as running: nothing is taken away on a guess. After a
//! reboot every PID is gone or has another start, so the boot need not be known: sandboxes show one of their own.

use serde::{Deserialize, Serialize};

/// A process, named so that no later one is mistaken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessStamp {
    /// The process ID, in its PID namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`), as its time namespace counts them.
    pub start_time: u64,
    /// The inode of its PID namespace.
    pub pid_namespace: u32,
    /// The inode of its time namespace; 0 before Linux 5.6, which has but one.
    pub time_namespace: u32,
}

/// What can be said of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It runs, seen from here.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing can be said of a process"))]
    Running,
    /// It has ended, for certain.
    Ended,
    /// Not to be judged from here.
    Unknown,
}
