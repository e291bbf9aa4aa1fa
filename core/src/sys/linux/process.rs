//! Which process is meant by a PID, and whether it still runs.
//!
//! A PID alone names nobody: it is used again. With the start time, the PID namespace and the boot it does. From
//! another namespace nothing can be said, and then a process counts as running: nothing is taken away on a guess.

use std::io;

use procfs::process::Process;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::namespaces::pid_namespace;

/// A process, named so that no later one is mistaken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessStamp {
    /// The process ID, in its PID namespace.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`).
    pub start_time: u64,
    /// The inode of its PID namespace.
    pub pid_namespace: u32,
    /// A checksum of the kernel's boot ID.
    pub boot: u32,
}

/// What can be said of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// It runs, seen from here.
    Running,
    /// It has ended, for certain.
    Ended,
    /// Not to be judged from here.
    Unknown,
}

impl ProcessStamp {
    /// This process.
    pub(crate) fn current() -> io::Result<Self> {
        let process = Process::myself().map_err(from_procfs)?;
        Self::of(std::process::id(), &process)
    }

    /// The running process with this ID, or `None` if there is none.
    pub(crate) fn running(pid: u32) -> io::Result<Option<Self>> {
        if exists(pid) == Judgement::Ended || !proc_is_ours() {
            return Ok(None);
        }
        let Some(id) = i32::try_from(pid).ok() else { return Ok(None) };
        match Process::new(id) {
            Ok(process) if !has_ended(&process) => Self::of(pid, &process).map(Some),
            Ok(_) | Err(procfs::ProcError::NotFound(_)) => Ok(None),
            Err(error) => Err(from_procfs(error)),
        }
    }

    fn of(pid: u32, process: &Process) -> io::Result<Self> {
        let start_time = process.stat().map_err(from_procfs)?.starttime;
        let pid_namespace = u32::try_from(pid_namespace()?).unwrap_or(u32::MAX);
        Ok(Self { pid, start_time, pid_namespace, boot: boot()? })
    }

    /// Whether this process still runs. `here` is the stamp of the calling process.
    pub(crate) fn judge(&self, here: &Self) -> Judgement {
        if self.boot != here.boot {
            return Judgement::Ended;
        }
        if self.pid_namespace != here.pid_namespace {
            return Judgement::Unknown;
        }
        if exists(self.pid) == Judgement::Ended {
            return Judgement::Ended;
        }
        if !proc_is_ours() {
            return Judgement::Unknown;
        }
        let Some(process) = i32::try_from(self.pid).ok().and_then(|pid| Process::new(pid).ok()) else {
            // It exists, yet /proc hides it (hidepid): not to be judged.
            return Judgement::Unknown;
        };
        match process.stat() {
            Ok(stat) if stat.starttime != self.start_time => Judgement::Ended,
            Ok(_) if has_ended(&process) => Judgement::Ended,
            Ok(_) => Judgement::Running,
            Err(_) => Judgement::Unknown,
        }
    }
}

/// The command name of a running process, for people to read.
pub(crate) fn process_name(pid: u32) -> Option<String> {
    Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok().map(|stat| stat.comm)
}

/// The name of this host.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// A zombie has ended, though nobody has asked for its exit status yet.
fn has_ended(process: &Process) -> bool {
    process.stat().is_ok_and(|stat| matches!(stat.state, 'Z' | 'X' | 'x'))
}

fn exists(pid: u32) -> Judgement {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Judgement::Ended };
    match test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => Judgement::Ended,
        Ok(()) | Err(_) => Judgement::Running,
    }
}

/// Whether `/proc` shows the PID namespace that this process lives in.
fn proc_is_ours() -> bool {
    std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == std::process::id().to_string().as_str())
}

fn boot() -> io::Result<u32> {
    Ok(crc32fast::hash(std::fs::read("/proc/sys/kernel/random/boot_id")?.trim_ascii()))
}

fn from_procfs(error: procfs::ProcError) -> io::Error {
    match error {
        procfs::ProcError::Io(error, _) => error,
        procfs::ProcError::PermissionDenied(_) => io::ErrorKind::PermissionDenied.into(),
        procfs::ProcError::NotFound(_) => io::ErrorKind::NotFound.into(),
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_running_until_it_is_not() {
        let here = ProcessStamp::current().unwrap();
        let mut child = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
        let stamp = ProcessStamp::running(child.id()).unwrap().unwrap();
        assert_eq!(stamp.judge(&here), Judgement::Running);
        assert_eq!(ProcessStamp { start_time: stamp.start_time + 1, ..stamp }.judge(&here), Judgement::Ended);
        assert_eq!(ProcessStamp { boot: !stamp.boot, ..stamp }.judge(&here), Judgement::Ended);
        assert_eq!(ProcessStamp { pid_namespace: 1, ..stamp }.judge(&here), Judgement::Unknown);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(stamp.judge(&here), Judgement::Ended);
        assert_eq!(ProcessStamp::running(stamp.pid).unwrap(), None);
    }

    #[test]
    fn no_process_has_these_ids() {
        for pid in [0, u32::MAX, i32::MAX as u32] {
            assert_eq!(ProcessStamp::running(pid).unwrap(), None, "{pid}");
        }
    }
}
