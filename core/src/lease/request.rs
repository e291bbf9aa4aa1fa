//! What a lease request asks for: which ports, and how long to wait for them. Pure.

use std::panic::Location;
use std::time::Duration;

use super::Sticky;
use crate::error::{Error, Result};
use crate::pool::Pool;
use crate::process::Place;
use crate::refusals;

/// Which ports, and how long to wait for them. A number is a request for that many consecutive ports.
///
/// ```
/// use std::time::Duration;
/// use portalloc::LeaseRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// // A Redis Cluster node and its bus port; waits for at most ten seconds.
/// let request = LeaseRequest::offsets([0, 10000]).wait(Duration::from_secs(10));
/// let lease = allocator.lease(request)?;
/// assert_eq!(lease.ports()[1], lease.base_port() + 10000);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LeaseRequest {
    pub(crate) ports: Ports,
    pub(crate) wait: Option<Duration>,
    pub(crate) guard: bool,
    pub(crate) sticky: Option<Sticky>,
    pub(crate) prefer: Vec<u16>,
    pub(crate) place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// This many consecutive ports of the pool.
    Run(usize),
    /// This many ports of the pool, consecutive or not.
    Scattered(usize),
    /// One base port in the pool, and the ports at these distances above it.
    Offsets(Vec<u16>),
    /// These ports, in this order, in the pool or not.
    Exact(Vec<u16>),
}

impl LeaseRequest {
    fn new(ports: Ports) -> Self {
        Self { ports, wait: None, guard: false, sticky: None, prefer: Vec::new(), place: Place::Caller }
    }

    /// `count` consecutive ports of the pool.
    pub fn run(count: usize) -> Self {
        Self::new(Ports::Run(count))
    }

    /// `count` ports of the pool that need not be consecutive. Succeeds whenever that many are free.
    pub fn scattered(count: usize) -> Self {
        Self::new(Ports::Scattered(count))
    }

    /// A base port of the pool and the ports at these distances from it, such as `[0, 1, 10000]` for a Redis Cluster
    /// node with its bus port. The other ports may lie outside the pool, but are never excluded ones; ports in the
    /// ephemeral range or in the kernel's reserved ports are leased only if there are no others, with a warning. The
    /// first offset must be 0.
    pub fn offsets(offsets: impl IntoIterator<Item = u16>) -> Self {
        Self::new(Ports::Offsets(offsets.into_iter().collect()))
    }

    /// Exactly these ports, in the pool or not, with a warning if the kernel gives some of them to other programs.
    /// [`Lease::ports`](crate::Lease::ports) keeps their order.
    pub fn exact(ports: impl IntoIterator<Item = u16>) -> Self {
        Self::new(Ports::Exact(ports.into_iter().collect()))
    }

    /// Waits up to this long for ports to become free, instead of failing at once. Zero means no waiting.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// Guards the ports against programs that do not use portalloc, too: see [`Lease::guard`](crate::Lease::guard). The
    /// guard consists of the sockets of the probe, so no program can bind a port in between.
    pub fn guard(mut self, guard: bool) -> Self {
        self.guard = guard;
        self
    }

    /// Prefers the ports that this key was last given on this machine, then those that its hash selects, which are the
    /// same on every machine with the same pool. Other ports are leased if those are in use.
    pub fn sticky(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.sticky = Some(Sticky { everywhere: key.clone(), here: key });
        self
    }

    /// Base ports to try before all others, in this order, inside the pool or not: a wish, so one that is in use, excluded,
    /// or not for this user is passed over, without an error or a warning. A sticky request tries them after the port that
    /// it had last. They mean nothing to a request for exact ports.
    pub fn prefer(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.prefer = ports.into_iter().collect();
        self
    }

    /// Where in the program the lease is taken, such as `conftest.py:14`, or empty text if that is unknown: for the message of
    /// a port conflict within this process. Without this, it is the Rust code that takes the lease.
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Place::Text(place.into().into_boxed_str());
        self
    }

    pub(crate) fn called_from(mut self, caller: &'static Location<'static>) -> Self {
        self.place = self.place.or(caller);
        self
    }

    /// The number of ports.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.ports {
            Ports::Run(count) | Ports::Scattered(count) => *count,
            Ports::Offsets(ports) | Ports::Exact(ports) => ports.len(),
        }
    }

    /// The distance between two candidates of a sticky request: runs lie on a grid of their size.
    pub(crate) fn stride(&self) -> usize {
        match &self.ports {
            Ports::Run(count) => *count,
            _ => 1,
        }
    }

    /// Which of the preferred ports may be tried as a base.
    pub(crate) fn wishes(&self, pool: &Pool) -> Vec<u16> {
        let offsets: Vec<u16> = match &self.ports {
            Ports::Run(count) => (0..=u16::MAX).take(*count).collect(),
            Ports::Scattered(_) => vec![0],
            Ports::Offsets(offsets) => offsets.clone(),
            Ports::Exact(_) => return Vec::new(),
        };
        self.prefer.iter().copied().filter(|base| pool.permits(*base, &offsets)).collect()
    }

    /// The missing ports in words, such as "run of 5 free ports".
    pub(crate) fn describe(&self) -> String {
        match &self.ports {
            Ports::Run(1) | Ports::Scattered(1) => "free port".to_owned(),
            Ports::Run(count) => format!("run of {count} free ports"),
            Ports::Offsets(offsets) => {
                format!(
                    "base with free ports at +{}",
                    offsets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", +")
                )
            }
            Ports::Scattered(_) | Ports::Exact(_) => format!("{} free ports", self.count()),
        }
    }

    pub(crate) fn check(&self, pool: &Pool) -> Result<()> {
        if self.prefer.contains(&0) {
            return Err(Error::invalid_argument("port 0 preferred", "use ports from 1 to 65535"));
        }
        match &self.ports {
            Ports::Run(count) => check_count(*count, longest(pool), pool),
            Ports::Scattered(count) => check_count(*count, pool.ports().count(), pool),
            Ports::Offsets(offsets) => check_offsets(offsets),
            Ports::Exact(ports) => check_ports(ports),
        }
    }
}

impl From<usize> for LeaseRequest {
    fn from(count: usize) -> Self {
        Self::run(count)
    }
}

fn longest(pool: &Pool) -> usize {
    pool.ports().ranges().iter().map(|range| range.count()).max().unwrap_or(0)
}

fn check_offsets(offsets: &[u16]) -> Result<()> {
    let invalid = |why: &str| {
        let text = offsets.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        Error::invalid_argument(
            format!("the offsets {text} {why}"),
            "use distances from the first port, such as 0,1,10000",
        )
    };
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable();
    if offsets.first() != Some(&0) {
        return Err(invalid("do not begin with 0"));
    }
    if sorted.last() == Some(&u16::MAX) {
        return Err(refusals::no_offset(u16::MAX));
    }
    if sorted.iter().zip(sorted.iter().skip(1)).any(|(a, b)| a == b) {
        return Err(invalid("repeat one"));
    }
    Ok(())
}

fn check_count(count: usize, longest: usize, pool: &Pool) -> Result<()> {
    let size = pool.ports().count();
    if count == 0 {
        return Err(Error::invalid_argument("0 ports asked for", "ask for at least 1"));
    }
    if count > size {
        return Err(Error::invalid_argument(
            format!("{count} ports asked for, but the pool {} has {size}", pool.asked()),
            "ask for fewer or name a wider pool",
        ));
    }
    if count > longest {
        return Err(Error::invalid_argument(
            format!(
                "{count} consecutive ports asked for, but the longest run in the pool {} has {longest}",
                pool.asked()
            ),
            "ask for fewer or name another pool: ports that known services use, reserved and excluded ones split it",
        ));
    }
    Ok(())
}

fn check_ports(ports: &[u16]) -> Result<()> {
    let mut sorted = ports.to_vec();
    sorted.sort_unstable();
    if sorted.is_empty() {
        return Err(Error::invalid_argument("no ports asked for", "name at least one port"));
    }
    if sorted.first() == Some(&0) {
        return Err(Error::invalid_argument("port 0 asked for", "use ports from 1 to 65535"));
    }
    let repeated = sorted.iter().zip(sorted.iter().skip(1)).find(|(a, b)| a == b);
    match repeated {
        Some((port, _)) => Err(Error::invalid_argument(format!("port {port} asked for twice"), "name each port once")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port_set::KernelPorts;

    #[test]
    fn requests_are_checked_against_the_pool() {
        let pool = Pool::new(Some("27000-27099"), None, &KernelPorts::default()).unwrap();
        let refused = |request: LeaseRequest| request.check(&pool).unwrap_err().message().to_owned();
        assert_eq!(refused(LeaseRequest::run(0)), "0 ports asked for");
        assert_eq!(refused(LeaseRequest::run(70000)), "70000 ports asked for, but the pool 27000-27099 has 94");
        assert!(refused(LeaseRequest::run(90)).contains("longest run"));
        assert_eq!(refused(LeaseRequest::exact([])), "no ports asked for");
        assert_eq!(refused(LeaseRequest::exact([5, 0])), "port 0 asked for");
        assert_eq!(refused(LeaseRequest::exact([5, 9, 5])), "port 5 asked for twice");
        assert_eq!(refused(LeaseRequest::scattered(95)), "95 ports asked for, but the pool 27000-27099 has 94");
        assert_eq!(refused(LeaseRequest::offsets([1, 2])), "the offsets 1,2 do not begin with 0");
        assert_eq!(refused(LeaseRequest::offsets([0, 65535])), "the offset 65535 is out of range");
        assert_eq!(refused(LeaseRequest::offsets([])), "the offsets  do not begin with 0");
        assert_eq!(refused(LeaseRequest::offsets([0, 7, 7])), "the offsets 0,7,7 repeat one");
        assert!(LeaseRequest::scattered(94).check(&pool).is_ok());
        assert!(LeaseRequest::offsets([0, 10000, 1]).check(&pool).is_ok());
        assert!(LeaseRequest::run(63).check(&pool).is_ok());
        assert!(LeaseRequest::exact([65535, 1]).check(&pool).is_ok());
    }
}
