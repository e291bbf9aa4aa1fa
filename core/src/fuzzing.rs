//! Doors through which the fuzzer (`proof/fuzz`) reaches readers and checks that are otherwise nobody's business. Compiled
//! with `--cfg fuzzing` only, and no part of the library. Decides nothing: what is right, the fuzzer knows.

use crate::error::Result;
use crate::id::IsolationId;
use crate::lease::LeaseRequest;
use crate::names;
use crate::pool::Pool;
use crate::registry::{Claim, Label, Slot};
use crate::sys::ProcessStamp;

/// What a slot of the `ports` file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotText {
    /// Nobody has it.
    Empty,
    /// Not written by portalloc, or damaged.
    Damaged,
    /// The label of a held lease.
    Held {
        /// What every label has.
        common: Common,
        /// The process that took it.
        holder: ProcessStamp,
    },
    /// The label of a kept environment.
    Kept {
        /// What every label has.
        common: Common,
        /// When its TTL is over, in milliseconds since 1970.
        expires_ms: Option<u64>,
        /// The process whose end ends it.
        owner: Option<ProcessStamp>,
    },
}

/// What every label has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// The environment.
    pub id: Option<IsolationId>,
    /// The user who made it.
    pub user: u32,
    /// The number of the lease.
    pub lease: u64,
    /// When it was made, in milliseconds since 1970.
    pub since_ms: u64,
}

/// Reads a slot.
#[must_use]
pub fn read_slot(bytes: &[u8; 64]) -> SlotText {
    let label = match Slot::decode(bytes) {
        Slot::Empty => return SlotText::Empty,
        Slot::Damaged => return SlotText::Damaged,
        Slot::Label(label) => label,
    };
    let common = Common { id: label.id, user: label.user, lease: label.lease, since_ms: label.since_ms };
    match label.claim {
        Claim::Held { holder } => SlotText::Held { common, holder },
        Claim::Kept { expires_ms, owner } => SlotText::Kept { common, expires_ms, owner },
    }
}

/// Writes a slot. A damaged one cannot be written, and is empty.
#[must_use]
pub fn write_slot(text: SlotText) -> [u8; 64] {
    let (common, claim) = match text {
        SlotText::Empty | SlotText::Damaged => return Slot::Empty.encode(),
        SlotText::Held { common, holder } => (common, Claim::Held { holder }),
        SlotText::Kept { common, expires_ms, owner } => (common, Claim::Kept { expires_ms, owner }),
    };
    let Common { id, user, lease, since_ms } = common;
    Slot::Label(Label { claim, id, user, lease, since_ms }).encode()
}

/// Whether `names` are names for `count` ports.
///
/// # Errors
/// `invalid_argument`.
pub fn check_names(names: &[String], count: usize) -> Result<()> {
    names::check_names(names, count)
}

/// Whether `request` makes sense in `pool`.
///
/// # Errors
/// `invalid_argument`.
pub fn check_request(request: &LeaseRequest, pool: &Pool) -> Result<()> {
    request.check(pool)
}

/// The stamp of this process.
///
/// # Errors
/// Of the operating system.
pub fn this_process() -> std::io::Result<ProcessStamp> {
    ProcessStamp::current()
}
