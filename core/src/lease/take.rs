//! Takes ports, and waits for them. Combines search, probe and labels into a lease.

use std::cell::Cell;
use std::panic::Location;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use log::debug;
use rand::Rng;
use rand::rngs::SmallRng;

use super::guard::Guard;
use super::{Lease, LeaseRequest, Ports};
use crate::allocator::Allocator;
use crate::backoff::{Backoff, Deadline};
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::pool_usage;
use crate::port_state::{PortState, PortUsage};
use crate::process::{Maker, Noted, warn_once};
use crate::registry::{Claim, Label, Slot};
use crate::search::{Judged, LockedPorts, Search, Shape};
use crate::sys::{CloseWatch, words};
use crate::time::Timestamp;
use crate::who;

impl Allocator {
    /// Leases ports. A number asks for that many consecutive ports; a [`LeaseRequest`] can ask for more.
    ///
    /// Does not block, unless the request waits: then it blocks until ports become free or the deadline passes.
    ///
    /// # Errors
    /// `invalid_argument`, `pool_exhausted` (with a [`Census`](crate::pool::Census)), `port_in_use` (with the ports), `timeout`,
    /// `registry_unusable`, `io`.
    #[track_caller]
    pub fn lease(&self, request: impl Into<LeaseRequest>) -> Result<Lease> {
        let request = request.into().called_from(Location::caller());
        let start = Instant::now();
        self.in_registry(|allocator| take_ports(allocator, &request, start, None))
    }
}

/// Takes what `request` asks for, labelled with the environment `id` if there is one. A wait is counted from `start`.
pub(crate) fn take_ports(
    allocator: &Allocator,
    request: &LeaseRequest,
    start: Instant,
    id: Option<IsolationId>,
) -> Result<Lease> {
    let Allocator { registry, pool, cursor, .. } = allocator;
    request.check(pool)?;
    let ports = registry.ports()?;
    let here = registry.process()?;
    let mut random = registry.random()?;
    debug!("looks for {}", request.describe());
    let wishes = request.wishes(pool);
    let search = Search {
        registry,
        ports: &ports,
        pool,
        cursor,
        here,
        preferred: preferred(allocator, request, &wishes),
        wishes,
        keeps_sockets: request.guard,
        netns_matches: Cell::new(false),
        judged: Judged::default(),
    };
    // step: FindRun
    let mut locked = match attempt(&search, request, &mut random)? {
        Ok(locked) => locked,
        Err(obstacle) => {
            registry.check_netns()?;
            // A setup that changes the registry's place has all locks of the old one.
            // step: CheckPlace
            registry.check_place()?;
            match request.wait.filter(|limit| !limit.is_zero()) {
                Some(limit) => wait(allocator, &search, request, Deadline::since(start, limit), &mut random)?,
                None => return Err(into_error(&search, obstacle)?),
            }
        }
    };
    let label = Label {
        claim: Claim::Held { holder: here },
        id,
        user: registry.user(),
        lease: random.next_u64(),
        // The only time the clock is read, and only now, because the search may have waited for the ports.
        since_ms: Timestamp::now().unix_ms(),
    };
    // A failure from here on releases the locks, after closing the sockets.
    let guard = request.guard.then(|| Guard::from_probe(locked.take_sockets())).transpose()?;
    let ranges = locked.ranges();
    // step: WriteLabel
    ranges.iter().try_for_each(|range| ports.write(*range, Slot::Label(label)))?;
    let leased = locked.keep();
    if let (Ports::Offsets(_) | Ports::Exact(_), Some(warning)) = (&request.ports, pool.warning_about(&leased)) {
        warn_once("kernel_ports", &warning, &*warning);
    }
    registry.live().fetch_add(1, Ordering::Relaxed);
    if let (Some(sticky), Some(base)) = (&request.sticky, leased.first()) {
        sticky.remember(registry, *base);
    }
    debug!("leased {:?}{}", leased, id.map_or(String::new(), |id| format!(" for environment {id}")));
    // step: ReturnLease
    Ok(Lease {
        _noted: Noted::new(label.lease, request.place.clone()),
        ports: leased,
        ranges,
        registry: registry.clone(),
        maker: Maker::this_process(),
        label,
        file: Mutex::new(Some(ports)),
        guard: Mutex::new(guard),
        passed_on: AtomicBool::new(false),
    })
}

/// Base ports to try before all others, in this order.
fn preferred(allocator: &Allocator, request: &LeaseRequest, wishes: &[u16]) -> Vec<u16> {
    let Some(sticky) = &request.sticky else { return wishes.to_vec() };
    let (ports, stride) = (allocator.pool.ports(), request.stride());
    let last = sticky.last(&allocator.registry, ports, stride, wishes);
    last.into_iter().chain(wishes.iter().copied()).chain(sticky.hashed(ports, stride)).collect()
}

/// Why a request cannot be met at this moment.
enum Obstacle {
    /// The pool has none of these, such as "run of 5 free ports".
    Exhausted(String),
    /// These of the exact ports are in use.
    Busy(Vec<PortState>),
}

fn attempt<'a>(
    search: &Search<'a>,
    request: &LeaseRequest,
    random: &mut SmallRng,
) -> Result<Result<LockedPorts<'a>, Obstacle>> {
    let pool = search.pool;
    let found = match &request.ports {
        Ports::Run(count) => search.first_fit(&Shape::run(*count), pool.ports(), random)?,
        Ports::Scattered(count) => search.first_fit(&Shape::scattered(*count), pool.ports(), random)?,
        Ports::Offsets(offsets) => {
            let (shape, [quiet, all]) = (Shape::offsets(offsets), pool.bases(offsets));
            debug!(
                "of the pool, the bases {all} lead to ports that can be leased, and {quiet} to none that the kernel gives away"
            );
            match search.first_fit(&shape, &quiet, random)? {
                None if all != quiet => search.first_fit(&shape, &all, random)?,
                found => found,
            }
        }
        Ports::Exact(ports) => return Ok(search.exact(ports)?.map_err(Obstacle::Busy)),
    };
    Ok(found.ok_or_else(|| Obstacle::Exhausted(request.describe())))
}

/// The error for an obstacle. The census takes time, so it is taken only when the error is returned.
fn into_error(search: &Search<'_>, obstacle: Obstacle) -> Result<Error> {
    Ok(match obstacle {
        Obstacle::Exhausted(what) => {
            let census = pool_usage::take(search.registry, search.ports, search.pool, &search.here)?;
            Error::new(
                ErrorCode::PoolExhausted,
                format!("no {what} in the pool {}: {census}", search.pool.asked()),
                "find their holders with `portalloc list`, release some, use a wider pool, or wait with a deadline",
            )
            .with_census(census)
        }
        Obstacle::Busy(busy) => {
            let message = who::explain(search.registry, &busy).join("; ");
            let (code, remedy) = if busy.iter().any(|state| state.usage == PortUsage::Denied) {
                (ErrorCode::PermissionDenied, words::ALLOW_LOW_PORTS)
            } else {
                (ErrorCode::PortInUse, "stop or clean up what uses them, wait with a deadline, or ask for other ports")
            };
            Error::new(code, message, remedy).with_ports(busy)
        }
    })
}

/// The longest pause between two attempts, because nothing announces that a port of a foreign process or an expired
/// environment is free.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Tries again whenever a lease ends, until the deadline. Uses one open file description throughout, because closing it
/// would wake every other waiting process.
fn wait<'a>(
    allocator: &Allocator,
    search: &Search<'a>,
    request: &LeaseRequest,
    deadline: Deadline,
    random: &mut SmallRng,
) -> Result<LockedPorts<'a>> {
    // The watch starts before the attempts, so that no release after one of them is missed. The first attempt runs
    // unwatched: it usually succeeds, and closing an inotify watch takes milliseconds.
    let watch = CloseWatch::new(search.registry.ports_path());
    let mut backoff = Backoff::growing(deadline, LONGEST_PAUSE);
    debug!("waits for ports");
    loop {
        let obstacle = match attempt(search, request, random)? {
            Ok(locked) => return Ok(locked),
            Err(obstacle) => obstacle,
        };
        search.registry.check_place()?;
        let Some(pause) = backoff.next() else {
            let waited = format!("waited {}: ", humantime::format_duration(backoff.deadline.waited()));
            return Err(into_error(search, obstacle)?.recast(ErrorCode::Timeout, &waited));
        };
        if allocator.is_cancelled() {
            return Err(Error::new(
                ErrorCode::Timeout,
                "the wait for ports was cancelled",
                "wait again if you need them",
            ));
        }
        let closed = watch.wait(pause).map_err(|error| Error::os("cannot wait for ports", error))?;
        // A process that dies is reported just before the kernel releases its locks, so the next attempts follow
        // quickly.
        if closed {
            backoff.hurry();
        }
    }
}
