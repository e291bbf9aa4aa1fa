//! The processes that have given sockets open, with details: one pass over the descriptors of all processes that this
//! one may inspect. Knows /proc, not ports.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use procfs::process::{FDTarget, Process, all_processes};
use rustix::time::{ClockId, clock_gettime};

use super::process::process_name;
use crate::sys::port_socket::SocketHolder;
use crate::time::Timestamp;

/// For each of the sockets in `wanted`, by inode, the processes that have it open, ascending. Leaves out processes that
/// this one may not inspect.
pub(crate) fn socket_holders(wanted: &HashSet<u64>) -> BTreeMap<u64, Vec<SocketHolder>> {
    let mut found: BTreeMap<u64, Vec<SocketHolder>> = BTreeMap::new();
    if wanted.is_empty() {
        return found;
    }
    // A process that ends meanwhile, or that may not be inspected, is not an error.
    for process in all_processes().into_iter().flatten().flatten() {
        // A set, because a process may have the same socket open several times.
        let held: HashSet<u64> = process
            .fd()
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|fd| match fd.target {
                FDTarget::Socket(inode) if wanted.contains(&inode) => Some(inode),
                _ => None,
            })
            .collect();
        if held.is_empty() {
            continue;
        }
        let Some(holder) = describe(&process) else { continue };
        for inode in held {
            found.entry(inode).or_default().push(holder.clone());
        }
    }
    found.values_mut().for_each(|holders| holders.sort_by_key(|holder| holder.pid));
    found
}

fn describe(process: &Process) -> Option<SocketHolder> {
    let stat = process.stat().ok()?;
    let pid = u32::try_from(process.pid()).ok()?;
    Some(SocketHolder {
        pid,
        name: process_name(pid)?,
        command: command(pid),
        user: process.status().ok()?.euid,
        started_at: started_at(stat.starttime),
    })
}

pub(super) fn command(pid: u32) -> String {
    // Not read with the crate, which fails on arguments that are not UTF-8.
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments: Vec<_> = bytes.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    arguments.join(" ").trim_end().to_owned()
}

/// Start times count ticks since boot, like `CLOCK_BOOTTIME`, and have no relation to the wall clock. So the boot time
/// is measured, and rounded down to whole ticks as well: a process gets the same start time whenever it is asked for,
/// at most two ticks too early.
fn started_at(ticks: u64) -> Timestamp {
    let tick_ms = 1000 / procfs::ticks_per_second().clamp(1, 1000);
    let boot_ticks = booted_at_ns() / (tick_ms * 1_000_000);
    Timestamp::from_unix_ms((boot_ticks + ticks) * tick_ms)
}

/// When this machine was booted, in nanoseconds since 1970 by its current clock.
fn booted_at_ns() -> u64 {
    let read = |id| Duration::try_from(clock_gettime(id)).map_or(0, |time| time.as_nanos() as u64);
    let (mut booted_at, mut least) = (0, u64::MAX);
    // A thread that is preempted between reading two clocks gets times that do not belong together, so the fastest
    // reading counts.
    for _ in 0..100 {
        let before = read(ClockId::Boottime);
        let now = read(ClockId::Realtime);
        let took = read(ClockId::Boottime).saturating_sub(before);
        if took < least {
            (booted_at, least) = (now.saturating_sub(before), took);
        }
        if took < 1_000 {
            break;
        }
    }
    booted_at
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn this_process_is_found_by_its_socket_once() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let copy = socket.try_clone().unwrap();
        let inode =
            std::fs::metadata(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&copy))).unwrap().ino();
        let found = socket_holders(&HashSet::from([inode]));
        let mine: Vec<_> = found[&inode].iter().filter(|holder| holder.pid == std::process::id()).collect();
        assert_eq!(mine.len(), 1);
        assert!(!mine[0].name.is_empty() && !mine[0].command.is_empty());
        assert!(mine[0].started_at <= Timestamp::now());
        assert!(mine[0].started_at.age() < Duration::from_secs(3600));
    }

    #[test]
    fn a_process_has_one_start_whenever_it_is_asked_about() {
        let first = started_at(1234);
        for _ in 0..10_000 {
            assert_eq!(started_at(1234), first);
        }
        assert_eq!(started_at(1234 + procfs::ticks_per_second()).unix_ms(), first.unix_ms() + 1000);
    }
}
