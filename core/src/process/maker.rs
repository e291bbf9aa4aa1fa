//! Which process made something, for borders that keep it beside a lock of their own.

use crate::sys;

/// The process that made something: a value that can be asked without a lock, since a forked child may have inherited that
/// locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maker {
    generation: u64,
}

impl Maker {
    /// This process.
    #[must_use]
    pub fn this_process() -> Self {
        Self { generation: sys::generation() }
    }

    /// Whether this process is the maker: false in a forked child, also if that has the same PID in a PID namespace of its
    /// own.
    #[must_use]
    pub fn is_this_process(self) -> bool {
        self == Self::this_process()
    }
}
