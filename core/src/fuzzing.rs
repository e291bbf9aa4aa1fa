//! Access for the fuzzer (`proof/fuzz`) to private readers and checks. Compiled with `--cfg fuzzing` only, and not part
//! of the library. Decides nothing: the fuzzer knows which results are right.

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
    /// No label.
    Empty,
    /// Not written by portalloc, or damaged.
    Damaged,
    /// The label of a held lease.
    Held {
        /// The fields of every label.
        common: Common,
        /// The process that took it.
        holder: ProcessStamp,
    },
    /// The label of a kept environment.
    Kept {
        /// The fields of every label.
        common: Common,
        /// When its TTL ends, in milliseconds since 1970.
        expires_ms: Option<u64>,
        /// The owner: the environment ends when this process does.
        owner: Option<ProcessStamp>,
    },
}

/// The fields of every label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common {
    /// The environment.
    pub id: Option<IsolationId>,
    /// The user who created it.
    pub user: u32,
    /// The number of the lease, the same in all of its slots.
    pub lease: u64,
    /// When it was created, in milliseconds since 1970.
    pub since_ms: u64,
}

/// Decodes a slot.
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

/// Encodes a slot. A damaged one cannot be encoded, and becomes an empty one.
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

pub use crate::environment::{with_block, without_block, without_blocks};

/// Checks that `names` are valid names for `count` ports.
///
/// # Errors
/// `invalid_argument`.
pub fn check_names(names: &[String], count: usize) -> Result<()> {
    names::check_names(names, count)
}

/// Checks that `request` is valid in `pool`.
///
/// # Errors
/// `invalid_argument`.
pub fn check_request(request: &LeaseRequest, pool: &Pool) -> Result<()> {
    request.check(pool)
}

/// Returns the stamp of this process.
///
/// # Errors
/// Any error of the operating system.
pub fn this_process() -> std::io::Result<ProcessStamp> {
    ProcessStamp::current()
}
