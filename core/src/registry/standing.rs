//! Whether a label still claims its port: the rule by which stale claims give way.

use super::label::{Claim, Label, Slot};
use super::records::Stored;
use super::{PortsFile, Registry};
use crate::error::Result;
use crate::pool::PortRange;
use crate::sys::{Judgement, ProcessStamp};
use crate::time::Timestamp;

/// What a label means for somebody who has the port's lock, or knows that nobody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// No claim: empty, or of a holder that is gone.
    Free,
    /// A kept environment's, and it lives.
    Kept(Label),
    /// A kept environment's whose TTL is over, whose owner has ended, or whose record is gone or was never finished: to be
    /// reclaimed.
    Stale(Label),
}

impl Registry {
    /// Judges a slot. A damaged one is judged by the records, and restored if one of them claims the port; that
    /// needs the port's lock.
    pub(crate) fn standing(&self, ports: &PortsFile, port: u16, slot: Slot, here: &ProcessStamp) -> Result<Standing> {
        let label = match slot {
            Slot::Empty => return Ok(Standing::Free),
            Slot::Label(label) => label,
            // step: FindDemand
            Slot::Damaged => match self.claimed_by_record(port, here)? {
                None => return Ok(Standing::Free),
                Some(label) => {
                    // step: RestoreLabel
                    ports.write(PortRange::one(port), Slot::Label(label))?;
                    label
                }
            },
        };
        let Claim::Kept { expires_ms, owner } = label.claim else { return Ok(Standing::Free) };
        // step: LookAtExpiry
        let expired = expires_ms.is_some_and(|at| at <= Timestamp::now().unix_ms());
        let ended = owner.is_some_and(|owner| owner.judge(here) == Judgement::Ended);
        let orphaned = match label.id {
            // step: LookForClaim
            Some(id) => !self.records.claims(id)?,
            None => true,
        };
        if orphaned && !self.records.is_in_place() {
            return Err(self.gone("or its folder of records is not the one that was opened"));
        }
        Ok(if expired || ended || orphaned { Standing::Stale(label) } else { Standing::Kept(label) })
    }

    /// As [`standing`](Self::standing), for somebody without the lock: what is damaged is judged by the records, and
    /// left as it is.
    pub(crate) fn standing_as_seen(
        &self,
        ports: &PortsFile,
        port: u16,
        slot: Slot,
        here: &ProcessStamp,
    ) -> Result<Standing> {
        let slot = match slot {
            Slot::Damaged => self.claimed_by_record(port, here)?.map_or(Slot::Empty, Slot::Label),
            slot => slot,
        };
        self.standing(ports, port, slot, here)
    }

    /// The label that a readable record of a kept environment demands for `port`. Not that of one that is over: its ports
    /// may have been given to another since.
    pub(crate) fn claimed_by_record(&self, port: u16, here: &ProcessStamp) -> Result<Option<Label>> {
        for id in self.records.ids()? {
            // step: ScanRecords, ReconcileDemand
            if let Stored::Record(record) = self.records.read(id)?
                && record.demands_labels(here)
                && record.ports.ports.contains(&port)
            {
                return Ok(Some(record.label()));
            }
        }
        Ok(None)
    }
}
