//! Whether a label still claims its port: the rule by which stale claims give way.

use super::label::{ClaimEnd, Label, Slot};
use super::records::{Record, Stored};
use super::{PortsFile, Registry};
use crate::error::Result;
use crate::port_set::PortRange;
use crate::sys::ProcessStamp;

/// What a label means for somebody who has the port's lock, or knows that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LabelState {
    /// No claim: empty, or of a holder that is gone.
    Free,
    /// A kept environment's, and it lives.
    Kept(Label),
    /// A kept environment's that is over; for no other reason if its record is gone or was never finished: to be reclaimed.
    Stale(Option<ClaimEnd>),
}

impl Registry {
    /// Judges a slot. A damaged one is judged by the records, and restored if one of them claims the port; that
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
            // Or the program has closed the folder's descriptor.
            // step: LookForClaim
            Some(id) => !self.records.claims(id).or_else(|error| self.check().and(Err(error)))?,
            None => true,
        };
        if orphaned && !self.records.is_in_place() {
            return Err(self.gone("or its folder of records is not the one that was opened"));
        }
        Ok(if end.is_some() || orphaned { LabelState::Stale(end) } else { LabelState::Kept(label) })
    }

    /// As [`standing`](Self::standing), for somebody without the lock: what is damaged is judged by the records, and
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

    /// The label that a readable record of a kept environment demands for `port`. Not that of one that is over: its ports
    /// may have been given to another since.
    pub(crate) fn claimed_by_record(&self, port: u16, here: &ProcessStamp) -> Result<Option<Label>> {
        for record in self.kept_records(here)? {
            let record = record?;
            if record.ports.ports.contains(&port) {
                return Ok(Some(record.label()));
            }
        }
        Ok(None)
    }

    /// The readable records that demand labels, each read when it is its turn.
    pub(super) fn kept_records(&self, here: &ProcessStamp) -> Result<impl Iterator<Item = Result<Box<Record>>>> {
        let ids = self.records.ids()?;
        Ok(ids.into_iter().filter_map(|id| {
            // step: RelabelRead, ScanRecords, ReconcileDemand
            let record = self.records.read(id).map(Stored::record);
            record.map(|record| record.filter(|record| record.demands_labels(here))).transpose()
        }))
    }
}
