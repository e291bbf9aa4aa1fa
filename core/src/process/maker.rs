//! Which process created a value, for bindings that store it beside a mutex of their own.

use crate::sys;

/// The process that created a value. It can be read without a mutex, which a forked child may have inherited in a
/// locked state.
///
/// ```
/// use portalloc::ffi::Maker;
///
/// let maker = Maker::this_process();
/// assert!(maker.is_this_process(), "a forked child would say no");
/// ```
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

    /// Whether this process is the creator; false in a forked child, even if that has the same PID in a PID namespace
    /// of its own.
    #[must_use]
    pub fn is_this_process(self) -> bool {
        self == Self::this_process()
    }
}
