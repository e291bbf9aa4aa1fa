//! Finding ports and taking their locks: a few quick tries, then one systematic search that misses none that are free.
//! Knows registry, probe and pool; what becomes of the ports is up to the lease.

mod locked;
mod scan;
mod shape;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::thread;
use std::time::Duration;

use crate::backoff::Backoff;
use crate::check;
use crate::error::{Error, Result};
use crate::pool::{Cursor, Pool, PortRange};
use crate::port_state::{PortState, PortUsage};
use crate::probe::{self, Occupancy, Pair};
use crate::registry::{Claim, LabelState, PortsFile, Registry, Slot};
use crate::sys::{self, Judgement, ProcessStamp};
pub(crate) use locked::LockedPorts;
use locked::LockedRun;
pub(crate) use shape::Shape;

/// How long a lock without a live label may stand in the way before it counts as held. It is that of somebody who is
/// just probing, which takes microseconds, unless that process was stopped in the middle of it.
const PROBE_PATIENCE: Duration = Duration::from_millis(50);

/// Looks that follow each other at once, before there is a pause between them: somebody who is just probing is mostly gone
/// by then, and one that was stopped must not cost a processor.
const LOOKS_AT_ONCE: u32 = 20;

/// A search for ports, through one open file description.
pub(crate) struct Search<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) ports: &'a PortsFile,
    pub(crate) pool: &'a Pool,
    pub(crate) cursor: &'a Cursor,
    pub(crate) here: ProcessStamp,
    /// First ports to be tried before all others, in this order: those of a sticky request.
    pub(crate) preferred: Vec<u16>,
    /// Whether the sockets of the probe are kept, for a guard; else they are closed.
    pub(crate) keeps_sockets: bool,
    /// Whether this thread is known to be in the registry's network namespace.
    pub(crate) netns_matches: Cell<bool>,
    pub(crate) judged: Judged,
}

/// Which processes have ended, each judged once in a search: a full pool has many labels of few processes, and a search
/// that waits looks at them again and again.
pub(crate) type Judged = RefCell<HashMap<ProcessStamp, bool>>;

/// Why ports cannot be had.
enum Refusal {
    /// They are not numbers of ports, or not to be given out.
    Misfit,
    /// Somebody has the lock on a part of this run.
    Locked(PortRange),
    /// This one, the highest such of its run, is kept or bound.
    Taken(u16),
}

/// How long an obstacle that may be gone in a moment has been looked at.
#[derive(Default)]
struct ProbePatience {
    backoff: Option<Backoff>,
    looks: u32,
}

impl ProbePatience {
    /// Waits for a moment before the next look. `false`: it has taken long enough.
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
    /// Locks exactly `ports`, or says what is in the way of every one that cannot be had.
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

    /// Whether a lock is that of a lease, and not of somebody who is just probing: a lease has labels.
    fn is_settled(&self, lock: PortRange) -> Result<bool> {
        Ok(match self.ports.read_one(lock.first())?.label().map(|label| label.claim) {
            Some(Claim::Held { holder }) => !self.has_ended(holder),
            // Somebody looks at a kept port, or cleans it up.
            Some(Claim::Kept { .. }) => false,
            None => false,
        })
    }

    fn has_ended(&self, process: ProcessStamp) -> bool {
        let mut judged = self.judged.borrow_mut();
        *judged.entry(process).or_insert_with(|| process.judge(&self.here) == Judgement::Ended)
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

    /// Locks `run` and makes sure that nobody claims or uses it. Refused: nothing stays locked.
    fn try_run(&self, run: PortRange, is_preferred: bool) -> Result<Result<LockedRun<'a>, Refusal>> {
        // step: Lock
        let Some(lock) = self.ports.try_lock(run)? else { return Ok(Err(Refusal::Locked(run))) };
        // step: LookForObstacle
        Ok(match self.claim(run, is_preferred)? {
            Ok(sockets) => Ok(LockedRun { sockets, lock }),
            // step: UnlockRefused
            Err(port) => Err(Refusal::Taken(port)),
        })
    }

    /// Makes sure that no port of a locked run is kept or bound; else the highest such.
    fn claim(&self, run: PortRange, is_preferred: bool) -> Result<Result<Vec<Pair>, u16>> {
        // step: ReadLabels
        let slots = if self.ports.is_empty(run)? { Vec::new() } else { self.ports.read(run)? };
        for (port, slot) in run.ports().zip(slots).rev() {
            if slot != Slot::Empty
                // step: JudgeLabel
                && matches!(self.registry.standing(self.ports, port, slot, &self.here)?, LabelState::Kept(_))
            {
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

    /// The sockets of a port that nobody uses.
    fn bind(&self, port: u16, is_preferred: bool) -> Result<Option<Pair>> {
        let bound = match probe::bind(port) {
            Ok(Err(Occupancy::Tcp)) if is_preferred && is_resting(port) => probe::bind_resting(port),
            bound => bound,
        };
        bound.map(Result::ok).map_err(|error| Error::os(format!("cannot probe port {port}"), error))
    }

    /// Locks of one network namespace and probes of another would promise nothing.
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

/// Whether all that is on a port that a sticky request comes back to is what the kernel keeps for a minute of the
/// connections of the server that was there before (TIME_WAIT). Most servers can bind over those, and nobody has
/// them. Asked of the kernel, because a probe with reuse would not see other people's guards and clients either.
fn is_resting(port: u16) -> bool {
    sys::port_sockets(&BTreeSet::from([port])).is_ok_and(|found| {
        let mut tcp = found.sockets.iter().filter(|socket| socket.protocol == "tcp").peekable();
        found.with_bound && tcp.peek().is_some() && tcp.all(|socket| socket.state == "time_wait")
    })
}
