//! Makes labels and records agree again, after a crash or a manual edit. Every change is made under its port's lock.

use std::collections::HashMap;
use std::fmt;

use super::label::{Label, Slot};
use super::record::Record;
use super::{LabelState, PortsFile, Registry};
use crate::error::Result;
use crate::id::IsolationId;
use crate::port_set::PortRange;
use crate::sys::ProcessStamp;

/// One repair, or a problem that could not be repaired.
///
/// ```
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// for repair in allocator.reconcile()? {
///     println!("{repair}");
/// }
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The port whose label was wrong.
    pub port: u16,
    /// What was done.
    pub kind: RepairKind,
}

/// The kinds of repair.
///
/// [`Repair`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RepairKind {
    /// A kept environment's missing label was written again.
    Relabelled(IsolationId),
    /// The label of a holder that has ended was cleared.
    HolderGone,
    /// The label of an environment without a record was cleared.
    NoRecord(IsolationId),
    /// A damaged label was cleared.
    Damaged,
    /// Nothing could be done: the environment's record claims the port, but another lease has it.
    Taken(IsolationId),
}

impl RepairKind {
    /// Whether it was repaired.
    #[must_use]
    pub fn is_repaired(&self) -> bool {
        !matches!(self, Self::Taken(_))
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.kind {
            RepairKind::Relabelled(id) => write!(f, "port {port}: label of environment {id} written again"),
            RepairKind::HolderGone => write!(f, "port {port}: label of a holder that is gone cleared"),
            RepairKind::NoRecord(id) => {
                write!(f, "port {port}: label of environment {id}, which has no record, cleared")
            }
            RepairKind::Damaged => write!(f, "port {port}: damaged label cleared"),
            RepairKind::Taken(id) => {
                write!(f, "port {port}: claimed by the record of environment {id}, but another lease has it now")
            }
        }
    }
}

/// Ports read at a time.
const CHUNK: u16 = 4096;

impl Registry {
    /// Makes every label agree with locks and records, and every kept record with its labels.
    pub(crate) fn reconcile(&self) -> Result<Vec<Repair>> {
        let ports = self.ports()?;
        let here = self.process()?;
        let mut repairs = Vec::new();
        let mut demanded = None;
        for first in (0..=u16::MAX).step_by(usize::from(CHUNK)) {
            let Some(range) = PortRange::new(first.max(1), first + (CHUNK - 1)) else { continue };
            // step: ReconcileRead
            for (port, slot) in range.ports().zip(ports.read(range)?) {
                let kind = match slot {
                    Slot::Empty => None,
                    Slot::Label(_) => self.clear_if_void(&ports, port, &here)?,
                    Slot::Damaged => {
                        let demanded = match &mut demanded {
                            Some(demanded) => demanded,
                            None => demanded.insert(self.demanded_labels(&here)?),
                        };
                        self.mend(&ports, port, demanded.get(&port).copied(), &here)?
                    }
                };
                repairs.extend(kind.map(|kind| Repair { port, kind }));
            }
        }
        repairs.extend(self.relabel(&ports)?);
        Ok(repairs)
    }

    /// Clears the label of `port` if no process has the port's lock and the label claims nothing.
    fn clear_if_void(&self, ports: &PortsFile, port: u16, here: &ProcessStamp) -> Result<Option<RepairKind>> {
        let range = PortRange::one(port);
        // step: ReconcileLock, ReconcileUnlock
        let Some(_lock) = ports.try_lock(range)? else { return Ok(None) };
        // step: ReconcileReadOne
        let slot = ports.read_one(port)?;
        let kind = match (slot, self.standing(ports, port, slot, here)?) {
            (Slot::Label(label), LabelState::Stale(_)) => match label.id {
                // step: ReconcileRecord
                Some(id) if !self.records.exists(id)? => Some(RepairKind::NoRecord(id)),
                // A stale label with a record: cleanup removes both.
                _ => None,
            },
            (Slot::Label(label), LabelState::Free) if !self.is_unfinished(&label)? => Some(RepairKind::HolderGone),
            _ => None,
        };
        if kind.is_some() {
            // step: ReconcileWrite
            ports.write(range, Slot::Empty)?;
        }
        Ok(kind)
    }

    /// Replaces a damaged label with the one that a record requires, or clears it.
    fn mend(
        &self,
        ports: &PortsFile,
        port: u16,
        demanded: Option<Label>,
        here: &ProcessStamp,
    ) -> Result<Option<RepairKind>> {
        let range = PortRange::one(port);
        // step: MendLock
        let Some(_lock) = ports.try_lock(range)? else { return Ok(None) };
        // step: MendReadOne
        if ports.read_one(port)? != Slot::Damaged {
            return Ok(None);
        }
        // Since the records were read, the environment that required the label may have been cleaned up, and another
        // one been created.
        let label = match demanded.and_then(|label| label.id.zip(Some(label))) {
            Some((id, label)) if self.records.claims(id)? => Some(label),
            // step: MendDemand
            _ => self.claimed_by_record(port, here)?,
        };
        let (slot, repair) = match label.and_then(|label| label.id.zip(Some(label))) {
            Some((id, label)) => (Slot::Label(label), RepairKind::Relabelled(id)),
            None => (Slot::Empty, RepairKind::Damaged),
        };
        ports.write(range, slot)?;
        Ok(Some(repair))
    }

    /// The labels that this user's kept records require.
    fn demanded_labels(&self, here: &ProcessStamp) -> Result<HashMap<u16, Label>> {
        let mut labels = HashMap::new();
        for record in self.kept_records(here)? {
            let record = record?;
            labels.extend(record.ports.ports.iter().map(|port| (*port, record.label())));
        }
        Ok(labels)
    }

    /// Whether a held label belongs to the record of an environment, so that cleanup removes both.
    fn is_unfinished(&self, label: &Label) -> Result<bool> {
        label.id.map_or(Ok(false), |id| self.records.exists(id))
    }

    /// Writes the missing labels that this user's kept records require.
    pub(super) fn relabel(&self, ports: &PortsFile) -> Result<Vec<Repair>> {
        let here = self.process()?;
        let mut repairs = Vec::new();
        for record in self.kept_records(&here)? {
            let record = record?;
            for port in record.ports.ports.iter().copied() {
                repairs.extend(self.relabel_port(ports, port, &record, &here)?.map(|kind| Repair { port, kind }));
            }
        }
        Ok(repairs)
    }

    fn relabel_port(
        &self,
        ports: &PortsFile,
        port: u16,
        record: &Record,
        here: &ProcessStamp,
    ) -> Result<Option<RepairKind>> {
        let id = record.isolation_id;
        let range = PortRange::one(port);
        // A truncated file may end before the slot.
        // step: RelabelLook
        let before = ports.read_one(port).unwrap_or(Slot::Empty);
        if before.claims_for(id) {
            return Ok(None);
        }
        // step: RelabelLock, RelabelUnlock
        let Some(_lock) = ports.try_lock(range)? else {
            // Otherwise the environment is being cleaned up, or has ended, so that its ports may have been leased to
            // others.
            let is_taken = self.records.claims(id)? && record.demands_labels(here);
            return Ok(is_taken.then_some(RepairKind::Taken(id)));
        };
        // step: RelabelReadOne
        let slot = ports.read_one(port).unwrap_or(Slot::Empty);
        Ok(match slot {
            slot if slot.claims_for(id) => None,
            // step: RelabelStanding
            Slot::Label(_) if matches!(self.standing(ports, port, slot, here)?, LabelState::Kept(_)) => {
                record.demands_labels(here).then_some(RepairKind::Taken(id))
            }
            // Written under the lock, and only while the record exists: otherwise this would undo a cleanup that ran in
            // between.
            // step: RelabelClaim
            _ if self.records.claims(id)? => {
                // step: RelabelWrite
                ports.write(range, Slot::Label(record.label()))?;
                Some(RepairKind::Relabelled(id))
            }
            _ => None,
        })
    }
}
