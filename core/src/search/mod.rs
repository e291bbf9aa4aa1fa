//! Finding ports and taking their locks: a few quick tries, then one systematic search that misses none that are free.
//! Knows registry, probe and pool; what becomes of the ports is up to lease.rs.

mod run;
mod shapes;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::pool::{Cursor, Pool, PortRange};
use crate::probe::{self, Occupancy, Pair};
use crate::registry::{Claim, PortsFile, Registry, Slot, Standing};
use crate::sys::{self, Judgement, ProcessStamp};

/// Tries before the search becomes systematic.
const QUICK_TRIES: usize = 4;

/// How long a lock without a live label may stand in the way before it counts as held. It is that of somebody who is
/// just probing, which takes microseconds, unless that process was stopped in the middle of it.
const PATIENCE: Duration = Duration::from_millis(50);

/// Looks that follow each other at once, before there is a pause between them: somebody who is just probing is mostly gone
/// by then, and one that was stopped must not cost a processor.
const LOOKS_AT_ONCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

/// A search for ports, through one open file description, which keeps the locks of what was found.
pub(crate) struct Search<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) ports: &'a PortsFile,
    pub(crate) pool: &'a Pool,
    pub(crate) cursor: &'a Cursor,
    pub(crate) here: ProcessStamp,
    /// First ports to be tried before all others, in this order: those of a sticky request.
    pub(crate) preferred: Vec<u16>,
    /// Whether these are being tried.
    pub(crate) returning: Cell<bool>,
    /// Where the sockets of the probe are kept, for a guard; else they are closed.
    pub(crate) kept: Option<RefCell<Vec<Pair>>>,
    /// Whether this thread is known to be in the registry's network namespace.
    pub(crate) at_home: Cell<bool>,
    pub(crate) judged: Judged,
}

/// Ports whose locks are taken.
pub(crate) struct Found {
    /// In the order asked for.
    pub(crate) ports: Box<[u16]>,
    /// The same, as runs.
    pub(crate) ranges: Vec<PortRange>,
}

/// Which processes have ended, each judged once in a search: a full pool has many labels of few processes, and a search
/// that waits looks at them again and again.
pub(crate) type Judged = RefCell<HashMap<ProcessStamp, bool>>;

/// Why a run cannot be had.
enum Refusal {
    /// Somebody has the lock on a part of it.
    Locked,
    /// This port of it, the highest such, is kept or bound.
    Taken(u16),
}

/// What one look at all candidates came to.
enum Look<T> {
    Found(T),
    /// Nothing, and every obstacle is there to stay.
    Nothing,
    /// Nothing, but some obstacle was a lock that may be gone in a moment.
    Unsettled,
}

/// How long an obstacle that may be gone in a moment has been looked at.
#[derive(Default)]
struct Patience {
    since: Option<Instant>,
    looks: u32,
}

impl Patience {
    /// Waits for a moment before the next look. `false`: it has taken long enough.
    fn pause(&mut self) -> Result<bool> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= PATIENCE {
            return Ok(false);
        }
        self.looks += 1;
        if self.looks <= LOOKS_AT_ONCE {
            thread::yield_now();
        } else {
            sys::wait_connected(&[], PAUSE).map_err(|error| Error::os("cannot wait for a port", error))?;
        }
        Ok(true)
    }
}

impl Search<'_> {
    /// Looks again as long as an obstacle may be gone in a moment.
    fn patiently<T>(&self, mut look: impl FnMut() -> Result<Look<T>>) -> Result<Option<T>> {
        let mut patience = Patience::default();
        loop {
            match look()? {
                Look::Found(found) => return Ok(Some(found)),
                Look::Unsettled if patience.pause()? => {}
                Look::Nothing | Look::Unsettled => return Ok(None),
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

    /// Locks `run` and makes sure that nobody claims or uses it. Refused: nothing stays locked.
    fn try_run(&self, run: PortRange) -> Result<Result<(), Refusal>> {
        // step: Lock
        if !self.ports.try_lock(run)? {
            return Ok(Err(Refusal::Locked));
        }
        // step: LookForObstacle
        match self.obstacle(run) {
            Ok(None) => Ok(Ok(())),
            // step: UnlockRefused
            Ok(Some(port)) => self.ports.unlock(run).map(|()| Err(Refusal::Taken(port))),
            Err(error) => self.ports.unlock(run).and(Err(error)),
        }
    }

    /// The highest port of a locked run that is kept or bound.
    fn obstacle(&self, run: PortRange) -> Result<Option<u16>> {
        // step: ReadLabels
        let slots = if self.ports.is_empty(run)? { Vec::new() } else { self.ports.read(run)? };
        for (port, slot) in run.ports().zip(slots).rev() {
            if slot != Slot::Empty
                // step: JudgeLabel
                && matches!(self.registry.standing(self.ports, port, slot, &self.here)?, Standing::Kept(_))
            {
                return Ok(Some(port));
            }
        }
        let mut pairs = Vec::new();
        for port in run.ports().rev() {
            // step: Probe
            let Some(pair) = self.bind(port)? else { return Ok(Some(port)) };
            self.stay_at_home(&pair)?;
            // step: CloseProbe
            if self.kept.is_some() {
                pairs.push(pair);
            }
        }
        if let Some(kept) = &self.kept {
            kept.borrow_mut().extend(pairs);
        }
        Ok(None)
    }

    /// The sockets of a port that nobody uses.
    fn bind(&self, port: u16) -> Result<Option<Pair>> {
        let bound = match probe::bind(port) {
            Ok(Err(Occupancy::Tcp)) if self.is_resting(port) => probe::bind_resting(port),
            bound => bound,
        };
        bound.map(Result::ok).map_err(|error| Error::os(format!("cannot probe port {port}"), error))
    }

    /// Locks of one network namespace and probes of another would promise nothing. A socket tells more cheaply than a
    /// look into /proc where this thread is by now.
    fn stay_at_home(&self, pair: &Pair) -> Result<()> {
        if !self.at_home.get() {
            if !self.registry.is_home_of(&pair.tcp) {
                return Err(Error::moved());
            }
            self.at_home.set(true);
        }
        Ok(())
    }

    /// Whether all that is on a port that a sticky request comes back to is what the kernel keeps for a minute of the
    /// connections of the server that was there before (TIME_WAIT). Most servers can bind over those, and nobody has
    /// them. Asked of the kernel, because a probe with reuse would not see other people's guards and clients either.
    fn is_resting(&self, port: u16) -> bool {
        self.returning.get()
            && sys::port_sockets(&BTreeSet::from([port])).is_ok_and(|found| {
                let mut tcp = found.sockets.iter().filter(|socket| socket.protocol == "tcp").peekable();
                found.with_bound && tcp.peek().is_some() && tcp.all(|socket| socket.state == "time_wait")
            })
    }

    /// Does `work` for ports that a sticky request comes back to.
    fn returning<T>(&self, work: impl FnOnce() -> T) -> T {
        self.returning.set(true);
        let done = work();
        self.returning.set(false);
        done
    }

    /// Locks all of `ranges` or nothing; the refusal of the first that cannot be had.
    fn try_all(&self, ranges: &[PortRange]) -> Result<Result<(), (PortRange, Refusal)>> {
        for (index, range) in ranges.iter().enumerate() {
            let refused = match self.try_run(*range) {
                Ok(Ok(())) => continue,
                Ok(Err(refusal)) => Ok(Err((*range, refusal))),
                Err(error) => Err(error),
            };
            self.let_go(ranges.get(..index).unwrap_or_default())?;
            return refused;
        }
        Ok(Ok(()))
    }

    /// Gives back what was locked by tries that came to nothing.
    fn let_go(&self, ranges: &[PortRange]) -> Result<()> {
        if let Some(kept) = &self.kept {
            kept.borrow_mut().clear();
        }
        ranges.iter().try_for_each(|range| self.ports.unlock(*range))
    }
}
