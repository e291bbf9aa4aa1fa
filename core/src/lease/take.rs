//! Taking ports, and waiting for them: composes search, probe and labels into a lease.

use std::cell::{Cell, RefCell};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::SmallRng;

use super::guard::Guard;
use super::{Lease, LeaseRequest, Ports};
use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::pool_usage;
use crate::port_state::{PortState, PortUsage};
use crate::process::Maker;
use crate::registry::{Claim, Label, Slot};
use crate::search::{Found, Judged, Search};
use crate::sys::{CloseWatch, words};
use crate::time::Timestamp;
use crate::who;

impl Allocator {
    /// Leases ports: a number asks for so many consecutive ones, a [`LeaseRequest`] for more.
    ///
    /// Does not block, unless the request waits: then until ports come free or the deadline passes.
    ///
    /// # Errors
    /// `invalid_argument`, `pool_exhausted` (with a [`Census`](crate::pool::Census)), `port_in_use` (with the ports), `timeout`,
    /// `registry_unusable`, `io`.
    pub fn lease(&self, request: impl Into<LeaseRequest>) -> Result<Lease> {
        let request = request.into();
        let start = Instant::now();
        self.in_registry(|allocator| take(allocator, &request, start, None))
    }
}

/// Takes what `request` asks for, labelled as part of the environment `id` if there is one. A wait is counted from `start` on.
pub(crate) fn take(
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
    let preferred = request.sticky.as_ref().map(|sticky| sticky.bases(registry, pool.ports(), request.stride()));
    let search = Search {
        registry,
        ports: &ports,
        pool,
        cursor,
        here,
        preferred: preferred.unwrap_or_default(),
        returning: Cell::new(false),
        kept: request.guard.then(RefCell::default),
        at_home: Cell::new(false),
        judged: Judged::default(),
    };
    let found = match attempt(&search, request, &mut random)? {
        Ok(found) => found,
        Err(_) if !registry.is_at_home() => return Err(Error::moved()),
        Err(obstacle) => {
            // Somebody who changes the registry's place has all the locks of the old one.
            registry.check_place()?;
            match request.wait.filter(|limit| !limit.is_zero()) {
                Some(limit) => wait(allocator, &search, request, Waiting { start, limit }, &mut random)?,
                None => return Err(explain(&search, obstacle)?),
            }
        }
    };
    let label = Label {
        claim: Claim::Held { holder: here },
        id,
        user: registry.user(),
        lease: random.next_u64(),
        // The one reading of the clock: not before the ports were there, for which it may have waited.
        since_ms: Timestamp::now().unix_ms(),
    };
    // Whatever fails lets go of the locks, since that is what dropping the file does.
    let guard = search.kept.map(|kept| Guard::shut(kept.into_inner())).transpose()?;
    found.ranges.iter().try_for_each(|range| ports.write(*range, Slot::Label(label)))?;
    registry.live().fetch_add(1, Ordering::Relaxed);
    if let (Some(sticky), Some(base)) = (&request.sticky, found.ports.first()) {
        sticky.remember(registry, *base);
    }
    Ok(Lease {
        ports: found.ports,
        ranges: found.ranges,
        registry: registry.clone(),
        maker: Maker::this_process(),
        label,
        file: Mutex::new(Some(ports)),
        guard: Mutex::new(guard),
        passed_on: AtomicBool::new(false),
    })
}

/// Why a request cannot be met at this moment.
enum Obstacle {
    /// None of what was asked for, such as "run of 5 free ports".
    Exhausted(String),
    /// These of the ports asked for.
    Busy(Vec<PortState>),
}

fn attempt(search: &Search<'_>, request: &LeaseRequest, random: &mut SmallRng) -> Result<Result<Found, Obstacle>> {
    let found = match &request.ports {
        Ports::Run(count) => search.run(*count, random)?,
        Ports::Scattered(count) => search.scattered(*count, random)?,
        Ports::Offsets(offsets) => search.offsets(offsets, random)?,
        Ports::Exact(these) => return Ok(search.exact(these)?.map_err(Obstacle::Busy)),
    };
    Ok(found.ok_or_else(|| Obstacle::Exhausted(request.describe())))
}

/// The error for an obstacle. Counting what every port does takes its time, so it is done only once it is told.
fn explain(search: &Search<'_>, obstacle: Obstacle) -> Result<Error> {
    Ok(match obstacle {
        Obstacle::Exhausted(what) => {
            let census = pool_usage::take(search.registry, search.ports, search.pool, &search.here)?;
            Error::new(
                ErrorCode::PoolExhausted,
                format!("no {what} in the pool {}: {census}", search.pool.asked()),
                "see whose they are with `portalloc list`, give some back, name a wider pool, or wait with a deadline",
            )
            .with_census(census)
        }
        Obstacle::Busy(busy) => {
            let message = who::explain(search.registry, &busy).join("; ");
            let (code, remedy) = if busy.iter().any(|state| state.usage == PortUsage::Denied) {
                (ErrorCode::PermissionDenied, words::ALLOW_LOW_PORTS)
            } else {
                (ErrorCode::PortInUse, "end or clean up what is there, wait with a deadline, or ask for other ports")
            };
            Error::new(code, message, remedy).with_ports(busy)
        }
    })
}

/// The longest time between two looks: ports of strangers and of expired environments come free without a sign.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// How long to wait, and since when.
struct Waiting {
    start: Instant,
    limit: Duration,
}

/// Tries again whenever a lease ends, until the limit is over. The one description is kept throughout, since closing
/// it would wake every other process that waits.
fn wait(
    allocator: &Allocator,
    search: &Search<'_>,
    request: &LeaseRequest,
    Waiting { start, limit }: Waiting,
    random: &mut SmallRng,
) -> Result<Found> {
    // Before the attempts, so that no end of a lease after one of them is missed. Not before the very first one, which
    // mostly succeeds: a watch costs milliseconds to give up.
    let watch = CloseWatch::new(search.registry.ports_path());
    let mut pause = SHORTEST_PAUSE;
    loop {
        let obstacle = match attempt(search, request, random)? {
            Ok(found) => return Ok(found),
            Err(obstacle) => obstacle,
        };
        search.registry.check_place()?;
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            let waited = format!("waited {}: ", humantime::format_duration(limit));
            return Err(explain(search, obstacle)?.recast(ErrorCode::Timeout, &waited));
        }
        if allocator.is_cancelled() {
            return Err(Error::new(
                ErrorCode::Timeout,
                "the wait for ports was cancelled",
                "wait again if you need them",
            ));
        }
        let closed = watch.wait(left.min(pause)).map_err(|error| Error::os("cannot wait for ports", error))?;
        // A process that dies is reported just before its locks go, so the next looks follow closely.
        pause = if closed { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
    }
}
