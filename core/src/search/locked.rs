//! Ports that a search has locked.

use crate::pool::PortRange;
use crate::probe::Pair;
use crate::registry::RangeLock;

/// Ports whose locks are held until this is dropped.
#[derive(Default)]
pub(crate) struct LockedPorts<'a> {
    ports: Vec<u16>,
    runs: Vec<LockedRun<'a>>,
}

/// A locked run. Its sockets are closed first: the next process that gets the lock must find nothing bound.
pub(super) struct LockedRun<'a> {
    /// The sockets of the probe, if they are kept.
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

    /// The ports in the order asked for.
    pub(crate) fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The same ports as runs.
    pub(crate) fn ranges(&self) -> Vec<PortRange> {
        PortRange::covering(&self.ports)
    }

    pub(super) fn only_run(&self) -> Option<PortRange> {
        if let [run] = self.runs.as_slice() { Some(run.lock.range()) } else { None }
    }

    /// Takes out the sockets of the probe, if they are kept.
    pub(crate) fn take_sockets(&mut self) -> Vec<Pair> {
        self.runs.iter_mut().flat_map(|run| std::mem::take(&mut run.sockets)).collect()
    }

    /// Leaves the locks to the open file description.
    pub(crate) fn keep(self) -> Box<[u16]> {
        self.runs.into_iter().for_each(|run| run.lock.keep());
        self.ports.into()
    }
}
