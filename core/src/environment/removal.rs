//! The result of removing a file or directory.

use crate::error::Error;

/// The result of removing one file or directory.
pub(super) enum Removal {
    Removed,
    Absent,
    /// The file at the path does not belong to the environment, and why.
    NotOurs(String),
    Failed(Error),
}
