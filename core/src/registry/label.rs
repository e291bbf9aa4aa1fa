//! The label in a port's slot of the `ports` file: 64 bytes with a checksum. Knows no files.
//!
//! The label of a held lease is information for people; the lock is the claim. The label of a kept environment is the
//! claim itself, so it contains everything that decides whether the claim still holds, readable by every user, because
//! the record may belong to another user.

use super::checksum::checksum;
use super::header::SLOT;
use crate::id::IsolationId;
use crate::sys::{Liveness, ProcessStamp};
use crate::time::Timestamp;

const MAGIC: [u8; 3] = *b"PL\x01";
const HELD: u8 = 1;
const KEPT: u8 = 2;

/// The contents of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// No label.
    Empty,
    /// The label of a lease or environment, which may have ended.
    Label(Label),
    /// Not written by portalloc, or damaged.
    Damaged,
}

/// The lease or environment that a port belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) claim: Claim,
    /// The environment it belongs to; `None` for a plain lease.
    pub(crate) id: Option<IsolationId>,
    /// The user who created it.
    pub(crate) user: u32,
    /// Distinguishes leases: the same number in every slot of one lease.
    pub(crate) lease: u64,
    /// When it was created, in milliseconds since 1970.
    pub(crate) since_ms: u64,
}

/// How a port is claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// By the lock, which this process took.
    Held { holder: ProcessStamp },
    /// By this label, until `expires_ms` (since 1970) and while the owner runs, if either is set.
    Kept { expires_ms: Option<u64>, owner: Option<ProcessStamp> },
}

/// Why a kept claim has ended although its record exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimEnd {
    /// Its TTL ended.
    Expired(Timestamp),
    /// The owner, which had this PID, has ended.
    OwnerEnded(u32),
}

impl Claim {
    /// Why a kept claim has ended, or `None`. A held claim ends with its lock, which a label does not show.
    pub(crate) fn end(self, here: &ProcessStamp) -> Option<ClaimEnd> {
        self.end_by(|owner| owner.judge(here) == Liveness::Ended)
    }

    /// As `end`, for a caller that caches which processes have ended.
    pub(crate) fn end_by(self, has_ended: impl FnOnce(ProcessStamp) -> bool) -> Option<ClaimEnd> {
        let Self::Kept { expires_ms, owner } = self else { return None };
        match expires_ms.map(Timestamp::from_unix_ms) {
            Some(at) if at <= Timestamp::now() => Some(ClaimEnd::Expired(at)),
            _ => owner.filter(|owner| has_ended(*owner)).map(|owner| ClaimEnd::OwnerEnded(owner.pid)),
        }
    }
}

impl Label {
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.claim, Claim::Kept { .. })
    }
}

impl Slot {
    pub(crate) fn label(self) -> Option<Label> {
        if let Self::Label(label) = self { Some(label) } else { None }
    }

    pub(crate) fn is_of(self, id: IsolationId) -> bool {
        self.label().is_some_and(|label| label.id == Some(id))
    }

    /// Whether this label claims its port for the kept environment `id`.
    pub(crate) fn claims_for(self, id: IsolationId) -> bool {
        self.is_of(id) && self.label().is_some_and(|label| label.is_kept())
    }

    pub(crate) fn encode(self) -> [u8; SLOT] {
        let mut writer = Writer { bytes: [0; SLOT], at: 0 };
        let Self::Label(label) = self else { return writer.bytes };
        let (kind, process, expires) = match label.claim {
            Claim::Held { holder } => (HELD, Some(holder), None),
            Claim::Kept { expires_ms, owner } => (KEPT, owner, expires_ms),
        };
        writer.put(&MAGIC);
        writer.put(&[kind]);
        writer.put(&label.user.to_le_bytes());
        writer.put(&label.id.map_or([0; IsolationId::BYTES], IsolationId::bytes));
        writer.put(&[u8::from(label.id.is_some()), u8::from(process.is_some())]);
        writer.put(&label.lease.to_le_bytes());
        writer.put(&label.since_ms.to_le_bytes());
        writer.put(&expires.unwrap_or(0).to_le_bytes());
        writer.put(&process.map_or(0, |process| process.start_time).to_le_bytes());
        writer.put(&process.map_or(0, |process| process.pid).to_le_bytes());
        writer.put(&process.map_or(0, |process| process.pid_namespace).to_le_bytes());
        writer.put(&process.map_or(0, |process| process.time_namespace).to_le_bytes());
        let checksum = checksum(&writer.bytes);
        writer.put(&checksum.to_le_bytes());
        writer.bytes
    }

    pub(crate) fn decode(bytes: &[u8; SLOT]) -> Self {
        if *bytes == [0; SLOT] {
            return Self::Empty;
        }
        Self::decode_label(bytes).map_or(Self::Damaged, Self::Label)
    }

    fn decode_label(bytes: &[u8; SLOT]) -> Option<Label> {
        let mut checked = *bytes;
        checked.last_chunk_mut::<4>()?.fill(0);
        if bytes.last_chunk::<4>()? != &checksum(&checked).to_le_bytes() {
            return None;
        }
        let mut reader = Reader { bytes };
        if reader.take::<3>()? != MAGIC {
            return None;
        }
        let [kind] = reader.take()?;
        let user = u32::from_le_bytes(reader.take()?);
        let id = IsolationId::from_bytes(reader.take()?);
        let [has_id, has_process] = reader.take()?;
        let lease = u64::from_le_bytes(reader.take()?);
        let since_ms = u64::from_le_bytes(reader.take()?);
        let expires = u64::from_le_bytes(reader.take()?);
        let start_time = u64::from_le_bytes(reader.take()?);
        let process = ProcessStamp {
            start_time,
            pid: u32::from_le_bytes(reader.take()?),
            pid_namespace: u32::from_le_bytes(reader.take()?),
            time_namespace: u32::from_le_bytes(reader.take()?),
        };
        let claim = match kind {
            HELD => Claim::Held { holder: process },
            KEPT => Claim::Kept {
                expires_ms: (expires != 0).then_some(expires),
                owner: (has_process != 0).then_some(process),
            },
            _ => return None,
        };
        Some(Label { claim, id: (has_id != 0).then_some(id), user, lease, since_ms })
    }
}

struct Writer {
    bytes: [u8; SLOT],
    at: usize,
}

impl Writer {
    fn put(&mut self, part: &[u8]) {
        let end = self.at + part.len();
        if let Some(slot) = self.bytes.get_mut(self.at..end) {
            slot.copy_from_slice(part);
        }
        self.at = end;
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (part, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*part)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn process() -> impl Strategy<Value = ProcessStamp> {
        any::<(u32, u64, u32, u32)>().prop_map(|(pid, start_time, pid_namespace, time_namespace)| ProcessStamp {
            pid,
            start_time,
            pid_namespace,
            time_namespace,
        })
    }

    fn claim() -> impl Strategy<Value = Claim> {
        prop_oneof![
            process().prop_map(|holder| Claim::Held { holder }),
            (prop::option::of(1u64..), prop::option::of(process()))
                .prop_map(|(expires_ms, owner)| Claim::Kept { expires_ms, owner }),
        ]
    }

    fn slot() -> impl Strategy<Value = Slot> {
        (claim(), any::<Option<[u8; 6]>>(), any::<(u32, u64, u64)>()).prop_map(
            |(claim, id, (user, lease, since_ms))| {
                Slot::Label(Label { claim, id: id.map(IsolationId::from_bytes), user, lease, since_ms })
            },
        )
    }

    proptest! {
        #[test]
        fn a_slot_is_read_as_it_was_written(slot in slot()) {
            prop_assert_eq!(Slot::decode(&slot.encode()), slot);
        }

        #[test]
        fn a_changed_byte_is_noticed(slot in slot(), at in 0..SLOT, change in 1u8..) {
            let mut bytes = slot.encode();
            bytes[at] ^= change;
            prop_assert_eq!(Slot::decode(&bytes), Slot::Damaged);
        }

        #[test]
        fn random_bytes_are_not_a_label(bytes in prop::array::uniform32(any::<u8>())) {
            let mut slot = [0; SLOT];
            slot[..32].copy_from_slice(&bytes);
            slot[63] = 1;
            prop_assert_eq!(Slot::decode(&slot), Slot::Damaged);
        }
    }

    #[test]
    fn zeros_are_an_empty_slot() {
        assert_eq!(Slot::decode(&[0; SLOT]), Slot::Empty);
        assert_eq!(Slot::Empty.encode(), [0; SLOT]);
    }
}
