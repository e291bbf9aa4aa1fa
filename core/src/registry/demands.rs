//! Which labels a record requires on its ports.

use super::label::{Claim, Label};
use super::record::Record;
use crate::sys::{ProcessStamp, user_id};
use crate::time::Timestamp;

impl Record {
    /// Whether missing labels of its ports must be written again. False once its TTL or its owner has ended, since its
    /// ports may have been leased to others by then.
    pub(super) fn demands_labels(&self, here: &ProcessStamp) -> bool {
        self.claims_by_labels() && self.claim().end(here).is_none()
    }

    /// The claim that its labels make once it is kept.
    pub(crate) fn claim(&self) -> Claim {
        Claim::Kept { expires_ms: self.expires_at.map(Timestamp::unix_ms), owner: self.owner }
    }

    /// The label of its ports once it is kept.
    pub(crate) fn label(&self) -> Label {
        Label {
            claim: self.claim(),
            id: Some(self.isolation_id),
            user: user_id(),
            lease: self.lease,
            since_ms: self.created_at.unix_ms(),
        }
    }
}
