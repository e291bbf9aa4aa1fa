//! Reads what `ours` judges: the processes with sockets on ports, and everything above them. Decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::ours::{People, Person, Whose};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::registry::{Registry, environment_byte};
use crate::sys::{self, Lock, Marks, PortSocket, words};

/// The variable that names a process's environment.
const VARIABLE: &str = "ISOLATION_ID";

/// Who has sockets on some ports, at one moment.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) people: People,
    /// The processes with such sockets, by PID.
    pub(crate) seats: BTreeMap<u32, Seat>,
    /// Sockets of which no process can be seen.
    pub(crate) hidden: Vec<HiddenSocket>,
    /// All of these sockets.
    pub(crate) sockets: Vec<PortSocket>,
}

/// What a process has on the ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) pid: u32,
    pub(crate) start_time: u64,
    pub(crate) ports: BTreeSet<u16>,
    pub(crate) sockets: BTreeSet<u64>,
}

/// A socket of which no process can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HiddenSocket {
    pub(crate) port: u16,
    /// The user who made it.
    pub(crate) user: u32,
    /// Why no process can be seen, as a phrase.
    pub(crate) why: String,
}

impl Seat {
    /// Whether `now`, what the same PID has at a later moment, is the same process with one of the same sockets. A PID
    /// may be another process's by then.
    pub(crate) fn is_still(&self, now: Option<&Self>) -> bool {
        now.is_some_and(|now| now.start_time == self.start_time && !now.sockets.is_disjoint(&self.sockets))
    }
}

/// An environment as its processes are looked for.
pub(crate) struct Sight {
    pub(crate) whose: Whose,
    lock: Lock,
}

impl Sight {
    pub(crate) fn of(environment: &Environment) -> Self {
        let (registry, record) = (environment.registry(), environment.record());
        let whose = Whose {
            id: record.isolation_id,
            user: registry.user(),
            worktree: record.worktree_path.clone(),
            temp_dir: record.temp_dir.clone(),
        };
        Self { lock: lock_of(registry, &whose), whose }
    }

    /// Who has sockets on `ports` that `wanted` picks.
    pub(crate) fn look(&self, ports: &BTreeSet<u16>, wanted: impl Fn(&PortSocket) -> bool) -> Result<Scene> {
        let sockets = sockets(ports, wanted)?;
        let mut scene = Scene { people: self.people(), ..Scene::default() };
        let inodes: HashSet<u64> = sockets.iter().map(|socket| socket.inode).filter(|inode| *inode != 0).collect();
        // PIDs of another namespace would mean other processes here.
        let sees = inodes.is_empty() || sys::sees_own_processes();
        let holders = if sees { sys::socket_holders(&inodes) } else { BTreeMap::new() };
        for socket in &sockets {
            let mut is_seen = false;
            for holder in holders.get(&socket.inode).into_iter().flatten() {
                // One that has ended meanwhile has nothing any more.
                let Some(start_time) = self.add(&mut scene.people, holder.pid) else { continue };
                is_seen = true;
                let seat = scene.seats.entry(holder.pid).or_default();
                (seat.pid, seat.start_time) = (holder.pid, start_time);
                seat.ports.insert(socket.local.port());
                seat.sockets.insert(socket.inode);
            }
            if !is_seen && socket.inode != 0 && !holders.contains_key(&socket.inode) {
                scene.hidden.push(HiddenSocket {
                    port: socket.local.port(),
                    user: socket.user,
                    why: hidden(socket.user, sees),
                });
            }
        }
        scene.sockets = sockets;
        Ok(scene)
    }

    /// The processes that have a hold on the environment, as far as this one may inspect them.
    pub(crate) fn holders(&self) -> Vec<u32> {
        if sys::sees_own_processes() { sys::lock_holders(self.lock) } else { Vec::new() }
    }

    /// The process that asks, and those above it.
    pub(crate) fn people(&self) -> People {
        let mut people = People { caller: std::process::id(), ..People::default() };
        self.add(&mut people, std::process::id());
        people
    }

    /// Adds a process and those above it; returns its start time.
    pub(crate) fn add(&self, people: &mut People, pid: u32) -> Option<u64> {
        let mut next = pid;
        while next != 0 && !people.by_pid.contains_key(&next) {
            let Some(facts) = sys::process_facts(next, Marks { variable: VARIABLE, lock: self.lock }) else { break };
            let worktree = facts.directory.as_deref().and_then(nearest_worktree);
            next = facts.parent;
            people.by_pid.insert(facts.pid, Person { facts, worktree });
        }
        people.by_pid.get(&pid).map(|person| person.facts.start_time)
    }
}

/// The lock that the hold on an environment is.
fn lock_of(registry: &Registry, whose: &Whose) -> Lock {
    // Without the file nobody has a lock that counts.
    let file = sys::entry(registry.ports_path()).ok().flatten().map(|entry| entry.id).unwrap_or_default();
    Lock { file, byte: environment_byte(whose.id) }
}

/// The sockets on `ports` that `wanted` picks.
pub(crate) fn sockets(ports: &BTreeSet<u16>, wanted: impl Fn(&PortSocket) -> bool) -> Result<Vec<PortSocket>> {
    let found =
        sys::port_sockets(ports).map_err(|error| Error::os("cannot read the kernel's table of sockets", error))?;
    Ok(found.sockets.into_iter().filter(wanted).collect())
}

/// Whether clients can reach the socket, or whether it keeps the port from others: not a connection.
pub(crate) fn holds_port(socket: &PortSocket) -> bool {
    socket.protocol == "udp" || matches!(socket.state, "listen" | "bound")
}

/// Whether it is a TCP socket that listens.
pub(crate) fn listens(socket: &PortSocket) -> bool {
    socket.state == "listen"
}

fn nearest_worktree(directory: &Path) -> Option<PathBuf> {
    let is_worktree = |above: &&Path| matches!(sys::entry(&above.join(".git")), Ok(Some(_)));
    directory.ancestors().find(is_worktree).map(Path::to_owned)
}

fn hidden(user: u32, sees: bool) -> String {
    if !sees {
        return format!("the processes of this PID namespace cannot be seen: {}", words::MOUNT_PROC);
    }
    if user == sys::user_id() {
        return "its process runs in another PID namespace, such as a container's, or may not be inspected".to_owned();
    }
    let name = sys::user_name(user).map(|name| format!(" ({name})")).unwrap_or_default();
    format!("it belongs to user {user}{name}, whose processes only that user and root may inspect")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_that_is_reused_is_another_process() {
        let seat = Seat { pid: 7, start_time: 100, ports: BTreeSet::from([8080]), sockets: BTreeSet::from([1, 2]) };
        assert!(seat.is_still(Some(&seat)));
        assert!(!seat.is_still(None));
        // The same PID, started later; even with the same socket, which it may have inherited.
        assert!(!seat.is_still(Some(&Seat { start_time: 101, ..seat.clone() })));
        // The same process, which has closed its socket.
        assert!(!seat.is_still(Some(&Seat { sockets: BTreeSet::from([3]), ..seat.clone() })));
        assert!(seat.is_still(Some(&Seat { sockets: BTreeSet::from([2]), ..seat.clone() })));
    }
}
