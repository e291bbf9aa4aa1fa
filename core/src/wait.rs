//! Waits until servers accept connections, or until ports are free. Combines connections, probes and pauses; knows no
//! environment.
//!
//! Nothing announces that a socket listens or is closed, so this polls: often at first, then rarely.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use socket2::Socket;

use crate::allocator::Allocator;
use crate::backoff::{Backoff, Deadline};
use crate::check;
use crate::connect::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::port_set::{PortRange, PortSet};
use crate::port_state::PortUsage;
use crate::readiness::Readiness;
use crate::refusals;
use crate::registry::PortsFile;
use crate::sys::{self, words};

const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The pause between two requests to a server that has answered, which may log each.
const BETWEEN_REQUESTS: Duration = Duration::from_millis(200);

/// How long the last poll waits for connections in progress, so that a call with a limit of zero succeeds on a loaded
/// machine, too.
const ANSWER: Duration = Duration::from_millis(20);

/// How long the servers may take for their answers at least, all together, for the same reason.
const SHORTEST_REQUEST: Duration = Duration::from_secs(1);

impl Allocator {
    /// Waits until a server accepts connections on each of `ports`, on 127.0.0.1 or on ::1. Blocks for up to `limit`; a
    /// limit of zero polls once.
    ///
    /// Each poll opens a connection and closes it without sending anything. The ports need be neither leased nor in the
    /// pool.
    ///
    /// # Errors
    /// `timeout`, whose message gives the last result for each port without a server; `invalid_argument` for port 0 or
    /// an empty list; `io`.
    pub fn wait_until_open(&self, ports: &[u16], limit: Duration) -> Result<()> {
        self.wait_until_ready(ports, &Readiness::open(), limit)
    }

    /// As [`wait_until_open`](Self::wait_until_open), until the server on each of `ports` is ready: see [`Readiness`].
    ///
    /// # Errors
    /// As [`wait_until_open`](Self::wait_until_open); `invalid_argument` for a path or a status that cannot be.
    pub fn wait_until_ready(&self, ports: &[u16], readiness: &Readiness, limit: Duration) -> Result<()> {
        until_ready(ports, readiness, limit, &|| self.is_cancelled(), |_| Ok(BTreeMap::new()))
    }

    /// Waits until no socket is bound to any of `ports`: TCP or UDP, on any address, listening or not, including
    /// TIME_WAIT. A lease on a port makes no difference. Blocks for up to `limit`; a limit of zero checks once.
    ///
    /// Ports that a live process has leased, and ports that this user may not bind, are not probed; they are looked up
    /// in the kernel's socket tables. Before Linux 6.8 these tables do not show a TCP socket that is bound but neither
    /// listens nor is connected.
    ///
    /// # Errors
    /// `timeout`, whose message gives the last result for each port that is not free; `invalid_argument` for port 0 or
    /// an empty list; `registry_unusable`, `io`.
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

/// Waits until the server on each port is ready, and admitted by `refused`: it returns why a port's server, if there is
/// one, does not count, or an error that ends the wait.
pub(crate) fn until_ready(
    ports: &[u16],
    readiness: &Readiness,
    limit: Duration,
    is_cancelled: &dyn Fn() -> bool,
    mut refused: impl FnMut(&[u16]) -> Result<BTreeMap<u16, String>>,
) -> Result<()> {
    readiness.check()?;
    let mut endpoints: Vec<Endpoint> = distinct(ports)?.into_iter().map(Endpoint::new).collect();
    let mut backoff = Backoff::growing(Deadline::new(limit), LONGEST_PAUSE);
    loop {
        for endpoint in &mut endpoints {
            let port = endpoint.port;
            endpoint.connect().map_err(|error| Error::os(format!("cannot connect to port {port}"), error))?;
        }
        let pause = backoff.next();
        let rest_of_pause = Deadline::new(pause.unwrap_or_default());
        let all: Vec<u16> = endpoints.iter().map(|endpoint| endpoint.port).collect();
        let open = listen(&mut endpoints, pause.unwrap_or(ANSWER), pause.is_none())?;
        let mut reasons = refused(&all)?;
        let answers = Deadline::new(backoff.deadline.left().max(SHORTEST_REQUEST));
        let (mut again, mut has_asked) = (Vec::new(), false);
        for endpoint in open {
            let port = endpoint.port;
            if !reasons.contains_key(&port)
                && let Some(why) = readiness.ask(port, answers.left(), is_cancelled)
            {
                reasons.insert(port, why);
                has_asked = true;
            }
            if reasons.contains_key(&port) {
                again.push(Endpoint::new(port));
            }
        }
        endpoints.extend(again);
        if endpoints.is_empty() {
            return Ok(());
        }
        if pause.is_none() || is_cancelled() {
            let seen = endpoints
                .iter()
                .map(|endpoint| (endpoint.port, reasons.remove(&endpoint.port).unwrap_or_else(|| endpoint.seen())));
            return Err(timeout(&backoff.deadline, seen, "check that the server runs, read its log, or wait longer"));
        }
        // A server that is there and does not count is no reason to look without a pause.
        let least = if has_asked { BETWEEN_REQUESTS.min(backoff.deadline.left()) } else { Duration::ZERO };
        rest(&[], rest_of_pause.left().max(least))?;
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

/// Collects answers for `time`, or only until none is pending, and removes and returns the ports that have a server. It
/// starts no connection, so that servers that refuse at once do not cause a busy loop.
fn listen(endpoints: &mut Vec<Endpoint>, time: Duration, only_pending: bool) -> Result<Vec<Endpoint>> {
    let deadline = Deadline::new(time);
    let mut open = Vec::new();
    loop {
        open.extend(endpoints.extract_if(.., Endpoint::is_open));
        let pending: Vec<_> = endpoints.iter().flat_map(Endpoint::pending).collect();
        let left = deadline.left();
        if endpoints.is_empty() || left.is_zero() || (only_pending && pending.is_empty()) {
            return Ok(open);
        }
        rest(&pending, left)?;
    }
}

fn rest(sockets: &[&Socket], time: Duration) -> Result<()> {
    sys::wait_connected(sockets, time).map_err(|error| Error::os("cannot wait for ports", error))
}

/// The ports to which something is still bound, and what.
fn still_bound(file: &PortsFile, ports: &[u16]) -> Result<Vec<(u16, String)>> {
    let seen = |port, protocol| (port, format!("still bound ({protocol})"));
    let mut bound = Vec::new();
    let mut unprobed = BTreeSet::new();
    for &port in ports {
        match check::occupied(file, port)? {
            Some(PortUsage::Bound { protocol }) => bound.push(seen(port, protocol)),
            // A live lease, whose server could fail to bind during a probe, or a port that cannot be probed.
            None | Some(PortUsage::Denied) => {
                unprobed.insert(port);
            }
            Some(_) => {}
        }
    }
    if !unprobed.is_empty() {
        let found = sys::port_sockets(&unprobed)
            .map_err(|error| Error::os("cannot read the kernel's table of sockets", error))?;
        // A port is reported once, even if it has several sockets.
        let first = found.sockets.iter().filter(|socket| unprobed.remove(&socket.local.port()));
        bound.extend(first.map(|socket| seen(socket.local.port(), socket.protocol)));
    }
    Ok(bound)
}

/// The error that names the ports, grouped by their last result.
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
