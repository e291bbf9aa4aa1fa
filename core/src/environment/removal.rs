//! What became of a file or folder that was to be removed.

use crate::error::Error;

/// What became of one thing that was to be removed.
pub(super) enum Removal {
    Removed,
    Absent,
    /// Something stands there that is not the environment's; why.
    NotOurs(String),
    Failed(Error),
}
