//! What the system says about one process: who it is, where it comes from, and what it was given.

use std::path::PathBuf;

/// The facts of a process, as they were when it was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProcessFacts {
    pub(crate) pid: u32,
    /// When it started, in clock ticks since boot: with the PID, this identifies it.
    pub(crate) start_time: u64,
    /// Its parent; 0 if it has none that this process can see.
    pub(crate) parent: u32,
    /// Whether it leads a session that has a terminal: an interactive shell, as a rule.
    pub(crate) leads_terminal: bool,
    /// The user it runs as.
    pub(crate) user: u32,
    pub(crate) name: String,
    /// Its arguments, separated by spaces; empty if they cannot be read.
    pub(crate) command: String,
    /// Its current directory, or where that was before it was removed; `None` if it cannot be read.
    pub(crate) directory: Option<PathBuf>,
    /// Whether paths mean the same to it as to this process.
    pub(crate) shares_paths: bool,
    /// The value that the variable asked for had when the program started; `None` if it had none, has erased it, or if
    /// the variables cannot be read.
    pub(crate) variable: Option<String>,
    /// Whether it has the lock asked for.
    pub(crate) has_lock: bool,
}

/// What to look for in a process.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no process is looked at"))]
pub(crate) struct Marks<'a> {
    /// The name of a variable.
    pub(crate) variable: &'a str,
    /// A byte of a file, which the process may have a lock on by one of its descriptors.
    pub(crate) lock: Lock,
}

/// A lock on a byte of a file.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no lock is looked for"))]
pub(crate) struct Lock {
    pub(crate) file: super::FileId,
    pub(crate) byte: u64,
}
