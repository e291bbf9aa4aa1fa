//! What a lease is asked for: which ports, and how long to wait for them. Pure.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::pool::Pool;

/// Which ports, and how long to wait for them. A number is a request for that many consecutive ports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Request {
    pub(crate) ports: Ports,
    pub(crate) wait: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ports {
    /// So many consecutive ports of the pool.
    Run(usize),
    /// These, in this order, in the pool or not.
    These(Vec<u16>),
}

impl Request {
    /// `count` consecutive ports of the pool.
    pub fn run(count: usize) -> Self {
        Self { ports: Ports::Run(count), wait: None }
    }

    /// Exactly these ports, in the pool or not; [`Lease::ports`](crate::Lease::ports) keeps their order.
    pub fn these(ports: impl IntoIterator<Item = u16>) -> Self {
        Self { ports: Ports::These(ports.into_iter().collect()), wait: None }
    }

    /// Waits up to this long for ports to come free, instead of failing at once. Zero is the same as not waiting.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// How many ports it asks for.
    #[must_use]
    pub fn count(&self) -> usize {
        match &self.ports {
            Ports::Run(count) => *count,
            Ports::These(ports) => ports.len(),
        }
    }

    pub(crate) fn check(&self, pool: &Pool) -> Result<()> {
        match &self.ports {
            Ports::Run(count) => check_count(*count, pool),
            Ports::These(ports) => check_ports(ports),
        }
    }
}

impl From<usize> for Request {
    fn from(count: usize) -> Self {
        Self::run(count)
    }
}

fn check_count(count: usize, pool: &Pool) -> Result<()> {
    let size = pool.ports().count();
    let longest = pool.ports().ranges().iter().map(|range| range.count()).max().unwrap_or(0);
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
        return Err(Error::invalid_argument("port 0 asked for", "name ports from 1 to 65535"));
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
    use crate::pool::KernelPorts;

    #[test]
    fn requests_are_checked_against_the_pool() {
        let pool = Pool::new(Some("27000-27099"), None, &KernelPorts::default()).unwrap();
        let refused = |request: Request| request.check(&pool).unwrap_err().message().to_owned();
        assert_eq!(refused(Request::run(0)), "0 ports asked for");
        assert_eq!(refused(Request::run(70000)), "70000 ports asked for, but the pool 27000-27099 has 94");
        assert!(refused(Request::run(90)).contains("longest run"));
        assert_eq!(refused(Request::these([])), "no ports asked for");
        assert_eq!(refused(Request::these([5, 0])), "port 0 asked for");
        assert_eq!(refused(Request::these([5, 9, 5])), "port 5 asked for twice");
        assert!(Request::run(63).check(&pool).is_ok());
        assert!(Request::these([65535, 1]).check(&pool).is_ok());
    }
}
