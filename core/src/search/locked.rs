//! Ports whose locks a search has taken.

use crate::pool::PortRange;
use crate::probe::Pair;
use crate::registry::RangeLock;

/// Ports whose locks are taken, until this is dropped.
#[derive(Default)]
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

    pub(super) fn append(&mut self, other: Self) {
        if self.runs.is_empty() {
            *self = other;
            return;
        }
        self.ports.extend(other.ports);
        self.runs.extend(other.runs);
    }

    /// In the order asked for.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The same, as runs.
    pub(crate) fn ranges(&self) -> Vec<PortRange> {
        PortRange::covering(&self.ports)
    }

    pub(super) fn only_run(&self) -> Option<PortRange> {
        if let [run] = self.runs.as_slice() { Some(run.lock.range()) } else { None }
    }

    /// The sockets of the probe, if they are kept.
    pub(crate) fn take_sockets(&mut self) -> Vec<Pair> {
        self.runs.iter_mut().flat_map(|run| std::mem::take(&mut run.sockets)).collect()
    }

    /// Leaves the locks to the description.
    pub(crate) fn keep(self) -> Box<[u16]> {
        self.runs.into_iter().for_each(|run| run.lock.keep());
        self.ports.into()
    }
}
