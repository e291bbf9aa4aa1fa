//! Waiting for servers to come and to go. Composes knocks, probes and pauses; knows no environment.
//!
//! Nobody announces that a socket listens or is closed, so this looks again and again: soon at first, then rarely.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use socket2::Socket;

use crate::allocator::Allocator;
use crate::backoff::{Backoff, Deadline};
use crate::check;
use crate::connect::Door;
use crate::error::{Error, ErrorCode, Result};
use crate::port_set::{PortRange, PortSet};
use crate::port_state::PortUsage;
use crate::refusals;
use crate::registry::PortsFile;
use crate::sys::{self, words};

const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// What the last look grants a connection that is under way, so that a look without any waiting can succeed on a busy
/// machine too.
const ANSWER: Duration = Duration::from_millis(20);

impl Allocator {
    /// Waits until a server accepts connections on each of `ports`, on 127.0.0.1 or on ::1. A limit of zero looks once.
    ///
    /// A look is a connection that is closed at once, without a word. The ports need be neither leased nor in the pool.
    ///
    /// # Errors
    /// `timeout`, which says of each port that is not there what was seen last; `invalid_argument` for port 0 or no
    /// port at all; `io`.
    pub fn wait_until_open(&self, ports: &[u16], limit: Duration) -> Result<()> {
        let mut doors: Vec<Door> = distinct(ports)?.into_iter().map(Door::new).collect();
        let mut backoff = Backoff::growing(Deadline::new(limit), LONGEST_PAUSE);
        loop {
            for door in &mut doors {
                let port = door.port;
                door.knock().map_err(|error| Error::os(format!("cannot connect to port {port}"), error))?;
            }
            let pause = backoff.next();
            listen(&mut doors, pause.unwrap_or(ANSWER), pause.is_none())?;
            if doors.is_empty() {
                return Ok(());
            }
            if pause.is_none() || self.is_cancelled() {
                let seen = doors.iter().map(|door| (door.port, door.seen()));
                return Err(timeout(
                    &backoff.deadline,
                    seen,
                    "see whether the server runs and what its log says, or wait longer",
                ));
            }
        }
    }

    /// Waits until nothing is bound to any of `ports`: TCP or UDP, on any address, listening or not, TIME_WAIT
    /// included. Whether a port is leased makes no difference. A limit of zero looks once.
    ///
    /// Ports that a live process holds by a lease, and those that this user may not bind, are not probed, but looked up
    /// in the kernel's tables of sockets. Before Linux 6.8 these do not show a TCP socket that is bound and neither
    /// listens nor is connected.
    ///
    /// # Errors
    /// `timeout`, which says of each port that is not free what was seen last; `invalid_argument` for port 0 or no
    /// port at all; `registry_unusable`, `io`.
    pub fn wait_until_free(&self, ports: &[u16], limit: Duration) -> Result<()> {
        let mut waiting = distinct(ports)?;
        let file = self.in_checked_registry(|allocator| allocator.registry.ports())?;
        let mut backoff = Backoff::growing(Deadline::new(limit), LONGEST_PAUSE);
        loop {
            let pause = backoff.next();
            let bound = still_bound(&file, &waiting)?;
            if bound.is_empty() {
                return Ok(());
            }
            let Some(pause) = pause.filter(|_| !self.is_cancelled()) else {
                return Err(timeout(&backoff.deadline, bound, words::END_HOLDERS));
            };
            waiting = bound.into_iter().map(|(port, _)| port).collect();
            rest(&[], pause)?;
        }
    }
}

/// Each port once, in the order given.
fn distinct(ports: &[u16]) -> Result<Vec<u16>> {
    if ports.is_empty() {
        return Err(Error::invalid_argument("no port to wait for", "name at least one port"));
    }
    if ports.contains(&0) {
        return Err(refusals::no_port(0));
    }
    let mut seen = HashSet::new();
    Ok(ports.iter().copied().filter(|port| seen.insert(*port)).collect())
}

/// Takes in answers for `time`, or only until all are in; removes the doors that are open. No connection is begun
/// here, so that servers that refuse at once do not make it a busy loop.
fn listen(doors: &mut Vec<Door>, time: Duration, only_pending: bool) -> Result<()> {
    let deadline = Deadline::new(time);
    loop {
        doors.retain_mut(|door| !door.is_open());
        let pending: Vec<_> = doors.iter().flat_map(Door::pending).collect();
        let left = deadline.left();
        if doors.is_empty() || left.is_zero() || (only_pending && pending.is_empty()) {
            return Ok(());
        }
        rest(&pending, left)?;
    }
}

fn rest(sockets: &[&Socket], time: Duration) -> Result<()> {
    sys::wait_connected(sockets, time).map_err(|error| Error::os("cannot wait for ports", error))
}

/// Those of `ports` on which there is something, and what.
fn still_bound(file: &PortsFile, ports: &[u16]) -> Result<Vec<(u16, String)>> {
    let seen = |port, protocol| (port, format!("still bound ({protocol})"));
    let mut bound = Vec::new();
    let mut unprobed = BTreeSet::new();
    for &port in ports {
        match check::occupied(file, port)? {
            Some(PortUsage::Bound { protocol }) => bound.push(seen(port, protocol)),
            // A live lease, whose server a probe might get in the way of, or a port that cannot be probed.
            None | Some(PortUsage::Denied) => {
                unprobed.insert(port);
            }
            Some(_) => {}
        }
    }
    if !unprobed.is_empty() {
        let found = sys::port_sockets(&unprobed)
            .map_err(|error| Error::os("cannot read the kernel's table of sockets", error))?;
        // However many sockets are on a port, it is told once.
        let first = found.sockets.iter().filter(|socket| unprobed.remove(&socket.local.port()));
        bound.extend(first.map(|socket| seen(socket.local.port(), socket.protocol)));
    }
    Ok(bound)
}

/// The error that names the ports, together where the same was seen of them.
fn timeout(deadline: &Deadline, seen: impl IntoIterator<Item = (u16, String)>, remedy: &str) -> Error {
    let mut groups: BTreeMap<String, Vec<PortRange>> = BTreeMap::new();
    for (port, what) in seen {
        groups.entry(what).or_default().push(PortRange::one(port));
    }
    let parts = groups.into_iter().map(|(what, ranges)| {
        let ports: PortSet = ranges.into_iter().collect();
        let word = if ports.count() == 1 { "port" } else { "ports" };
        format!("{word} {ports}: {what}")
    });
    let parts = parts.collect::<Vec<_>>().join("; ");
    Error::new(ErrorCode::Timeout, format!("waited {}: {parts}", humantime::format_duration(deadline.waited())), remedy)
}
