//! Facts about the machine, for `doctor`. Plain values.

use std::path::PathBuf;

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Where it is mounted.
    pub(crate) point: PathBuf,
    /// Which directory of the file system is mounted there.
    pub(crate) root: String,
    /// The kind of file system, such as `tmpfs`.
    pub(crate) kind: String,
}
