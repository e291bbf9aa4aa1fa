//! Finds ports and locks them: a few quick attempts, then one systematic search that finds any free ports. Knows
//! registry, probe and pool; the lease decides what to do with the ports.

mod locked;
mod scan;
mod shape;
mod told;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::thread;
use std::time::Duration;

use log::debug;

use crate::backoff::Backoff;
use crate::check;
use crate::error::{Error, Result};
use crate::pool::{Cursor, Pool, PortRange};
use crate::port_state::{PortState, PortUsage};
use crate::probe::{self, Occupancy, Pair};
use crate::registry::{Claim, LabelState, PortsFile, Registry, Slot};
use crate::sys::{self, Liveness, ProcessStamp};
pub(crate) use locked::LockedPorts;
use locked::LockedRun;
pub(crate) use shape::Shape;

/// How long to retry a locked range without a live label before it counts as held: its holder is normally mid-probe,
/// for microseconds, unless that process was stopped.
const PROBE_PATIENCE: Duration = Duration::from_millis(50);

/// How many retries follow each other without a pause: a probing process is usually done by then, and a stopped one
/// must not cost CPU time.
const LOOKS_AT_ONCE: u32 = 20;

/// A search for ports, through one open file description.
pub(crate) struct Search<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) ports: &'a PortsFile,
    pub(crate) pool: &'a Pool,
    pub(crate) cursor: &'a Cursor,
    pub(crate) here: ProcessStamp,
    /// Base ports to try before all others, in this order: those of a sticky request, and `wishes`.
    pub(crate) preferred: Vec<u16>,
    /// Base ports that the user named. They need not lie in the pool.
    pub(crate) wishes: Vec<u16>,
    /// Whether to keep the probe's sockets for a guard; otherwise they are closed.
    pub(crate) keeps_sockets: bool,
    /// Whether this thread is known to be in the registry's network namespace.
    pub(crate) netns_matches: Cell<bool>,
    pub(crate) judged: Judged,
}

/// Caches which processes have ended, for one search: a full pool has many labels of few processes, and a waiting
/// search reads them repeatedly.
pub(crate) type Judged = RefCell<HashMap<ProcessStamp, bool>>;

/// Why ports are refused.
enum Refusal {
    /// They are not valid port numbers, or must not be leased.
    Misfit,
    /// Another process has locked a part of this run.
    Locked(PortRange),
    /// This port, the highest such one of its run, is kept or bound.
    Taken(u16),
}

/// How long the search has retried an obstacle that may be gone in a moment.
#[derive(Default)]
struct ProbePatience {
    backoff: Option<Backoff>,
    looks: u32,
}

impl ProbePatience {
    /// Pauses before the next retry. `false` if the patience is used up.
    fn pause(&mut self) -> Result<bool> {
        let backoff = self.backoff.get_or_insert_with(|| Backoff::steady(PROBE_PATIENCE));
        self.looks += 1;
        if self.looks <= LOOKS_AT_ONCE && !backoff.deadline.left().is_zero() {
            thread::yield_now();
            return Ok(true);
        }
        backoff.wait().map_err(|error| Error::os("cannot wait for a port", error))
    }
}

impl<'a> Search<'a> {
    /// Locks exactly `ports`, or returns the state of every port that is not free.
    pub(crate) fn exact(&self, ports: &[u16]) -> Result<Result<LockedPorts<'a>, Vec<PortState>>> {
        let mut patience = ProbePatience::default();
        loop {
            if let Ok(locked) = self.try_ports(ports.into(), false)? {
                return Ok(Ok(locked));
            }
            let (mut busy, mut is_unsettled) = (Vec::new(), false);
            for port in ports {
                let state = check::state(self.registry, self.ports, *port, &self.here)?;
                if let PortUsage::Held { .. } = state.usage {
                    is_unsettled |= !self.is_settled(PortRange::one(*port))?;
                }
                if !state.usage.is_free() {
                    busy.push(state);
                }
            }
            let worth_another_look = is_unsettled || busy.is_empty();
            if !worth_another_look || !patience.pause()? {
                busy.sort_by_key(|state| state.port);
                return Ok(Err(busy));
            }
        }
    }

    /// Whether a lock belongs to a lease, and not to a probing process: a lease has labels.
    fn is_settled(&self, lock: PortRange) -> Result<bool> {
        Ok(match self.ports.read_one(lock.first())?.label().map(|label| label.claim) {
            Some(Claim::Held { holder }) => !self.has_ended(holder),
            // Another process is checking a kept port, or cleaning it up.
            Some(Claim::Kept { .. }) => false,
            None => false,
        })
    }

    fn has_ended(&self, process: ProcessStamp) -> bool {
        let mut judged = self.judged.borrow_mut();
        *judged.entry(process).or_insert_with(|| process.judge(&self.here) == Liveness::Ended)
    }

    /// Locks all of `ports`, which are distinct, or none and says why.
    fn try_ports(&self, ports: Box<[u16]>, is_preferred: bool) -> Result<Result<LockedPorts<'a>, Refusal>> {
        let mut runs = Vec::with_capacity(1);
        for run in PortRange::covering(&ports) {
            match self.try_run(run, is_preferred)? {
                Ok(run) => runs.push(run),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        Ok(Ok(LockedPorts::new(ports, runs)))
    }

    /// Locks `run` and checks that no port of it is claimed or in use. If it is refused, nothing stays locked.
    fn try_run(&self, run: PortRange, is_preferred: bool) -> Result<Result<LockedRun<'a>, Refusal>> {
        // step: Lock
        let Some(lock) = self.ports.try_lock(run)? else {
            debug!("refused: {}", told::of_lock(self.ports, run, &self.here));
            return Ok(Err(Refusal::Locked(run)));
        };
        // step: LookForObstacle
        Ok(match self.claim(run, is_preferred)? {
            Ok(sockets) => Ok(LockedRun { sockets, lock }),
            // step: UnlockRefused
            Err(port) => Err(Refusal::Taken(port)),
        })
    }

    /// Checks that no port of a locked run is kept or bound; otherwise returns the highest such port.
    fn claim(&self, run: PortRange, is_preferred: bool) -> Result<Result<Vec<Pair>, u16>> {
        // step: ReadLabels
        let slots = if self.ports.is_empty(run)? { Vec::new() } else { self.ports.read(run)? };
        for (port, slot) in run.ports().zip(slots).rev() {
            if slot != Slot::Empty
                // step: JudgeLabel
                && let LabelState::Kept(label) = self.registry.standing(self.ports, port, slot, &self.here)?
            {
                debug!("refused: {}", told::of_kept(port, &label));
                return Ok(Err(port));
            }
        }
        let mut sockets = Vec::new();
        for port in run.ports().rev() {
            // step: Probe
            let Some(pair) = self.bind(port, is_preferred)? else { return Ok(Err(port)) };
            self.check_netns(&pair)?;
            // step: CloseProbe
            if self.keeps_sockets {
                sockets.push(pair);
            }
        }
        Ok(Ok(sockets))
    }

    /// Binds the probe's sockets, or returns `None` if the port is in use.
    fn bind(&self, port: u16, is_preferred: bool) -> Result<Option<Pair>> {
        let bound = match probe::bind(port) {
            Ok(Err(Occupancy::Tcp)) if is_preferred && is_resting(port) => probe::bind_resting(port),
            bound => bound,
        };
        let bound = bound.map_err(|error| Error::os(format!("cannot probe port {port}"), error))?;
        Ok(bound.inspect_err(|found| debug!("refused: {}", told::of_probe(port, *found))).ok())
    }

    /// Locks of one network namespace together with probes of another would guarantee nothing.
    fn check_netns(&self, pair: &Pair) -> Result<()> {
        if !self.netns_matches.get() {
            if !self.registry.namespace().is_current(Some(&pair.tcp)) {
                return Err(Error::netns_changed());
            }
            self.netns_matches.set(true);
        }
        Ok(())
    }
}

/// Whether only connections in TIME_WAIT are on a port that a sticky request returns to, which the kernel keeps for a
/// minute after the previous server. Most servers can bind over those, and no process owns them. Read from the kernel's
/// tables, because a probe with reuse would miss other programs' guards and clients, too.
fn is_resting(port: u16) -> bool {
    sys::port_sockets(&BTreeSet::from([port])).is_ok_and(|found| {
        let mut tcp = found.sockets.iter().filter(|socket| socket.protocol == "tcp").peekable();
        found.with_bound && tcp.peek().is_some() && tcp.all(|socket| socket.state == "time_wait")
    })
}
