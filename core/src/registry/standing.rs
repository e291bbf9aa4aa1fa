//! Whether a label still claims its port: the rule by which stale claims are reclaimed.

use super::label::{ClaimEnd, Label, Slot};
use super::record::{Record, Stored};
use super::{PortsFile, Registry};
use crate::error::Result;
use crate::port_set::PortRange;
use crate::sys::ProcessStamp;

/// What a label means to a process that has the port's lock, or knows that no process has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelState {
    /// No claim: empty, or the holder has ended.
    Free,
    /// The claim of a live kept environment.
    Kept(Label),
    /// The claim of a kept environment that has ended, to be reclaimed; `None` if its record is missing or was never
    /// finished.
    Stale(Option<ClaimEnd>),
}

impl Registry {
    /// Judges a slot. A damaged one is judged by the records, and restored if a record claims the port. The caller
    /// needs the port's lock.
    pub(crate) fn standing(&self, ports: &PortsFile, port: u16, slot: Slot, here: &ProcessStamp) -> Result<LabelState> {
        let label = match slot {
            Slot::Empty => return Ok(LabelState::Free),
            Slot::Label(label) => label,
            // step: FindDemand
            Slot::Damaged => match self.claimed_by_record(port, here)? {
                None => return Ok(LabelState::Free),
                Some(label) => {
                    // step: RestoreLabel
                    ports.write(PortRange::one(port), Slot::Label(label))?;
                    label
                }
            },
        };
        if !label.is_kept() {
            return Ok(LabelState::Free);
        }
        // step: LookAtExpiry
        let end = label.claim.end(here);
        let orphaned = match label.id {
            // Otherwise the program may have closed the directory's descriptor.
            // step: LookForClaim
            Some(id) => !self.records.claims(id).or_else(|error| self.check().and(Err(error)))?,
            None => true,
        };
        if orphaned && !self.records.is_in_place() {
            return Err(self.gone("or its records directory is not the one that was opened"));
        }
        Ok(if end.is_some() || orphaned { LabelState::Stale(end) } else { LabelState::Kept(label) })
    }

    /// As [`standing`](Self::standing), for a caller without the lock: a damaged label is judged by the records and
    /// left as it is.
    pub(crate) fn standing_as_seen(
        &self,
        ports: &PortsFile,
        port: u16,
        slot: Slot,
        here: &ProcessStamp,
    ) -> Result<LabelState> {
        let slot = match slot {
            Slot::Damaged => self.claimed_by_record(port, here)?.map_or(Slot::Empty, Slot::Label),
            slot => slot,
        };
        self.standing(ports, port, slot, here)
    }

    /// The label that a readable record of a kept environment requires for `port`. Records of environments that have
    /// ended do not count, since their ports may have been leased to others.
    pub(crate) fn claimed_by_record(&self, port: u16, here: &ProcessStamp) -> Result<Option<Label>> {
        for record in self.kept_records(here)? {
            let record = record?;
            if record.ports.ports.contains(&port) {
                return Ok(Some(record.label()));
            }
        }
        Ok(None)
    }

    /// The readable records that require labels, each read when the iterator reaches it.
    pub(super) fn kept_records(&self, here: &ProcessStamp) -> Result<impl Iterator<Item = Result<Box<Record>>>> {
        let ids = self.records.ids()?;
        Ok(ids.into_iter().filter_map(|id| {
            // step: RelabelRead, ScanRecords, ReconcileDemand
            let record = self.records.read(id).map(Stored::record);
            record.map(|record| record.filter(|record| record.demands_labels(here))).transpose()
        }))
    }
}
