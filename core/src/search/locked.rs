//! Ports whose locks a search has taken.

use crate::pool::PortRange;
use crate::probe::Pair;
use crate::registry::RangeLock;

/// Ports whose locks are taken, until this is dropped.
pub(crate) struct LockedPorts<'a> {
    ports: Vec<u16>,
    runs: Vec<LockedRun<'a>>,
}

/// A run whose lock is taken. The sockets go first: whoever gets the lock next must find nothing there.
pub(super) struct LockedRun<'a> {
    /// Those of the probe, if they are to be kept.
    pub(super) sockets: Vec<Pair>,
    pub(super) lock: RangeLock<'a>,
}

impl<'a> LockedPorts<'a> {
    pub(super) fn new(ports: Box<[u16]>, runs: Vec<LockedRun<'a>>) -> Self {
        Self { ports: ports.into(), runs }
    }

    pub(super) fn joined(found: Vec<Self>) -> Self {
        let mut joined = Self { ports: Vec::new(), runs: Vec::new() };
        for one in found {
            joined.ports.extend(one.ports);
            joined.runs.extend(one.runs);
        }
        joined
    }

    /// In the order asked for.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The same, as runs.
    pub(crate) fn ranges(&self) -> Vec<PortRange> {
        let mut ports = self.ports.clone();
        ports.sort_unstable();
        PortRange::covering(ports)
    }

    /// The sockets of the probe, if they are kept.
    pub(crate) fn take_sockets(&mut self) -> Vec<Pair> {
        self.runs.iter_mut().flat_map(|run| std::mem::take(&mut run.sockets)).collect()
    }

    /// Leaves the locks to the description.
    pub(crate) fn keep(self) {
        self.runs.into_iter().for_each(|run| run.lock.keep());
    }
}
