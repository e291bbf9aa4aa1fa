//! Identifies the process behind a PID, and tells whether it still runs. Start times are in clock ticks since boot
//! (`/proc/PID/stat`); namespaces are identified by inode. The time namespace is 0 before Linux 5.6, which has only
//! one.

use std::io;

use procfs::process::{Process, Stat};
use rustix::process::{Pid, test_kill_process};

use super::namespaces::{pid_namespace, time_namespace};
use crate::sys::process_name::Names;
use crate::sys::process_stamp::{Liveness, ProcessStamp};

impl ProcessStamp {
    /// The stamp of this process.
    pub(crate) fn current() -> io::Result<Self> {
        let stat = Process::myself().and_then(|process| process.stat()).map_err(from_procfs)?;
        Self::of(std::process::id(), &stat)
    }

    /// The stamp of the running process with this ID; `None` if there is none.
    pub(crate) fn running(pid: u32) -> io::Result<Option<Self>> {
        if exists(pid) == Liveness::Ended || !proc_is_ours() {
            return Ok(None);
        }
        let Some(id) = i32::try_from(pid).ok() else { return Ok(None) };
        match Process::new(id).and_then(|process| process.stat()) {
            Ok(stat) if !has_ended(&stat) => Self::of(pid, &stat).map(Some),
            Ok(_) | Err(procfs::ProcError::NotFound(_)) => Ok(None),
            Err(error) => Err(from_procfs(error)),
        }
    }

    /// The stamp of a process in the same namespaces as this one.
    fn of(pid: u32, stat: &Stat) -> io::Result<Self> {
        let number = |inode: u64| u32::try_from(inode).unwrap_or(u32::MAX);
        Ok(Self {
            pid,
            start_time: stat.starttime,
            pid_namespace: number(pid_namespace()?),
            time_namespace: number(time_namespace()),
        })
    }

    /// Whether this process still runs. `here` is the stamp of the calling process.
    pub(crate) fn judge(&self, here: &Self) -> Liveness {
        if (self.pid_namespace, self.time_namespace) != (here.pid_namespace, here.time_namespace) {
            return Liveness::Unknown;
        }
        if exists(self.pid) == Liveness::Ended {
            return Liveness::Ended;
        }
        if !proc_is_ours() {
            return Liveness::Unknown;
        }
        let process = i32::try_from(self.pid).ok().and_then(|pid| Process::new(pid).ok());
        // The process may exist while /proc hides it (hidepid): then it cannot be judged.
        let Some(stat) = process.and_then(|process| process.stat().ok()) else { return Liveness::Unknown };
        if stat.starttime != self.start_time || has_ended(&stat) { Liveness::Ended } else { Liveness::Running }
    }
}

/// The name of a running process's program, for messages.
pub(crate) fn process_name(pid: u32) -> Option<String> {
    let file = |name: &str| std::fs::read(format!("/proc/{pid}/{name}"));
    let thread = file("comm").ok()?;
    // Of another user's process, the executable is not readable.
    let executable = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let arguments = file("cmdline").unwrap_or_default();
    let names = Names {
        thread: thread.strip_suffix(b"\n").unwrap_or(&thread),
        arguments: arguments.split(|byte| *byte == 0).collect(),
        executable: executable.as_ref().map(|path| path.as_os_str().as_encoded_bytes()).map(without_mark),
    };
    Some(names.choose())
}

/// The path of an executable that was removed since, or replaced by an update.
fn without_mark(path: &[u8]) -> &[u8] {
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

/// A zombie has ended, even if its exit status was not read yet. A process of which only the main thread has ended has
/// not: its other threads continue, with everything that the process has open.
pub(super) fn has_ended(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X' | 'x') && stat.num_threads <= 1
}

fn exists(pid: u32) -> Liveness {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Liveness::Ended };
    match test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => Liveness::Ended,
        Ok(()) | Err(_) => Liveness::Running,
    }
}

/// Whether `/proc` shows the PID namespace that this process lives in.
pub(super) fn proc_is_ours() -> bool {
    std::fs::read_link("/proc/self").is_ok_and(|link| link.as_os_str() == std::process::id().to_string().as_str())
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
        assert_eq!(stamp.judge(&here), Liveness::Running);
        assert_eq!(ProcessStamp { start_time: stamp.start_time + 1, ..stamp }.judge(&here), Liveness::Ended);
        assert_eq!(ProcessStamp { pid_namespace: 1, ..stamp }.judge(&here), Liveness::Unknown);
        assert_eq!(ProcessStamp { time_namespace: 1, ..stamp }.judge(&here), Liveness::Unknown);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(stamp.judge(&here), Liveness::Ended);
        assert_eq!(ProcessStamp::running(stamp.pid).unwrap(), None);
    }

    #[test]
    fn a_process_keeps_the_name_of_its_program_whatever_it_calls_its_threads() {
        let script = "open('/proc/self/comm', 'w').write('MainThread'); print(flush=True); input()";
        let mut child = std::process::Command::new("python3")
            .args(["-c", script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        assert_eq!(std::fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap(), "MainThread\n");
        let name = process_name(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(name.as_deref(), Some("python3"));
    }

    #[test]
    fn no_process_has_these_ids() {
        for pid in [0, u32::MAX, i32::MAX as u32] {
            assert_eq!(ProcessStamp::running(pid).unwrap(), None, "{pid}");
        }
    }
}
