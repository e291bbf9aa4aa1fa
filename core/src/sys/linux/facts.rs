//! The facts of a process, from `/proc`. The variables are those of its start: what it has set since does not show, and
//! some programs write their title over them. A lock shows at every descriptor of its description, so also at those that
//! a process inherited. Knows no ports.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use procfs::process::{Process, all_processes};

use super::holders::command;
use super::namespaces::inode;
use super::process::{has_ended, process_name};
use crate::sys::process_facts::{Lock, Marks, ProcessFacts};

/// The facts of a process; `None` if there is no such process, or it is hidden.
pub(crate) fn process_facts(pid: u32, marks: Marks<'_>) -> Option<ProcessFacts> {
    let process = Process::new(i32::try_from(pid).ok()?).ok()?;
    let stat = process.stat().ok().filter(|stat| !has_ended(stat))?;
    Some(ProcessFacts {
        pid,
        start_time: stat.starttime,
        parent: u32::try_from(stat.ppid).unwrap_or(0),
        leads_terminal: stat.session == stat.pid && stat.tty_nr != 0,
        user: process.status().ok()?.euid,
        name: process_name(pid)?,
        command: command(pid),
        directory: std::fs::read_link(format!("/proc/{pid}/cwd")).ok().map(before_removal),
        shares_paths: shares_paths(pid),
        variable: variable(pid, marks.variable),
        has_lock: has_lock(&process, marks.lock),
    })
}

/// The processes that have the lock, by one of their descriptors, ascending; those that this one may inspect.
pub(crate) fn lock_holders(lock: Lock) -> Vec<u32> {
    let processes = all_processes().into_iter().flatten().flatten();
    let mut holders: Vec<u32> = processes
        .filter(|process| has_lock(process, lock))
        .filter_map(|process| u32::try_from(process.pid()).ok())
        .collect();
    holders.sort_unstable();
    holders
}

/// The kernel marks the path of a removed directory.
fn before_removal(path: PathBuf) -> PathBuf {
    let text = path.to_str().and_then(|text| text.strip_suffix(" (deleted)"));
    match text {
        Some(before) if !path.exists() => PathBuf::from(before),
        _ => path,
    }
}

fn shares_paths(pid: u32) -> bool {
    let namespace = |process: &str| inode(&format!("/proc/{process}/ns/mnt")).ok();
    namespace("thread-self").is_some_and(|own| namespace(&pid.to_string()) == Some(own))
}

/// The value of a variable; empty counts as not set.
fn variable(pid: u32, name: &str) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = bytes.split(|byte| *byte == 0);
    let value = variables.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    Some(String::from_utf8_lossy(value).into_owned()).filter(|value| !value.is_empty())
}

fn has_lock(process: &Process, lock: Lock) -> bool {
    let pid = process.pid();
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    descriptors.flatten().any(|descriptor| {
        let path = descriptor.path();
        // Most descriptors are something else, and to open what they lead to takes longer than to read its name.
        std::fs::read_link(&path).is_ok_and(|target| target.is_absolute())
            && is_file(&path, lock)
            && std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", descriptor.file_name().to_string_lossy()))
                .is_ok_and(|info| info.lines().any(|line| locks(line, lock.byte)))
    })
}

fn is_file(path: &Path, lock: Lock) -> bool {
    std::fs::metadata(path).is_ok_and(|found| (found.dev(), found.ino()) == (lock.file.device, lock.file.inode))
}

/// Whether a line of `fdinfo` is a lock of this descriptor's description on the byte, such as
/// `lock: 1: OFDLCK ADVISORY READ -1 08:01:1234 100 100`.
fn locks(line: &str, byte: u64) -> bool {
    let Some(lock) = line.strip_prefix("lock:") else { return false };
    let mut words = lock.split_whitespace().skip(1);
    let is_of_description = words.next() == Some("OFDLCK");
    let mut bounds = words.skip(4);
    let (first, last) = (bounds.next(), bounds.next());
    let number = |word: &str| word.parse::<u64>().ok();
    let from = first.and_then(number).is_some_and(|first| first <= byte);
    let to = last.is_some_and(|last| last == "EOF" || number(last).is_some_and(|last| byte <= last));
    is_of_description && from && to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{entry_of, share, try_lock_byte};

    #[test]
    fn a_line_is_a_lock_on_the_byte_if_it_covers_it() {
        let line = "lock:\t1: OFDLCK  ADVISORY  READ -1 08:01:1234 100 200";
        for (byte, is_locked) in [(99, false), (100, true), (200, true), (201, false)] {
            assert_eq!(locks(line, byte), is_locked, "{byte}");
        }
        assert!(locks("lock:\t1: OFDLCK  ADVISORY  WRITE -1 08:01:1234 100 EOF", 1 << 43));
        for line in ["lock:\t1: POSIX  ADVISORY  READ 7 08:01:1234 100 200", "pos:\t100", "lock:", "lock:\t1: OFDLCK"] {
            assert!(!locks(line, 150), "{line}");
        }
    }

    #[test]
    fn this_process_and_its_lock() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lock = |byte| Lock { file: entry_of(file.as_file()).unwrap().id, byte };
        let facts = |byte| process_facts(std::process::id(), Marks { variable: "PATH", lock: lock(byte) }).unwrap();
        assert!(!facts(7).has_lock);
        assert!(try_lock_byte(file.as_file(), 7).unwrap());
        let copy = share(file.as_file()).unwrap();
        let seen = facts(7);
        assert!(seen.has_lock && seen.shares_paths && !facts(8).has_lock, "{seen:?}");
        assert_eq!((seen.directory, seen.variable), (std::env::current_dir().ok(), std::env::var("PATH").ok()));
        assert_eq!(seen.parent, std::os::unix::process::parent_id());
        assert_eq!(lock_holders(lock(7)), [std::process::id()]);
        drop(copy);
    }

    #[test]
    fn what_is_no_process_has_no_facts() {
        let lock = Lock { file: crate::sys::FileId::default(), byte: 1 };
        assert_eq!(process_facts(0, Marks { variable: "PATH", lock }), None);
        assert_eq!(process_facts(u32::MAX, Marks { variable: "PATH", lock }), None);
    }

    #[test]
    fn a_removed_directory_is_where_it_was() {
        let scratch = tempfile::tempdir().unwrap();
        let odd = scratch.path().join("odd (deleted)");
        std::fs::create_dir(&odd).unwrap();
        assert_eq!(before_removal(odd.clone()), odd);
        std::fs::remove_dir(&odd).unwrap();
        assert_eq!(before_removal(odd), scratch.path().join("odd"));
    }
}
