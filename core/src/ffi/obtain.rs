//! The environment of a worktree, as callers in other languages ask for it. Does not say how it is got or made.

use crate::allocator::Allocator;
use crate::environment::{Environment, EnvironmentRequest};
use crate::error::{Error, Result};

/// Whether to make the environment of a worktree if there is none, and whether to repair it.
///
/// ```
/// use portalloc::EnvironmentRequest;
/// use portalloc::ffi::Obtain;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let request = EnvironmentRequest::new().worktree(scratch.path());
/// assert!(Obtain::given(false, false)?.with(&allocator, &request)?.is_none());
/// let made = Obtain::given(true, false)?.with(&allocator, &request)?.expect("a new one");
/// made.cleanup()?;
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obtain {
    /// Gets it, or makes it.
    Make,
    /// Gets it, if there is one.
    Find,
    /// Moves it to other ports if somebody else is on one of them; makes it if there is none.
    Repair,
}

impl Obtain {
    /// What the options `create` and `repair` ask for.
    ///
    /// # Errors
    /// `invalid_argument` for a repair that may not make anything.
    pub fn given(create: bool, repair: bool) -> Result<Self> {
        match (create, repair) {
            (true, false) => Ok(Self::Make),
            (false, false) => Ok(Self::Find),
            (true, true) => Ok(Self::Repair),
            (false, true) => Err(Error::invalid_argument(
                "a repair was asked for that may not make an environment",
                "leave `create` as it is, since a repair makes another environment if it has to, or leave `repair` out",
            )),
        }
    }

    /// The environment; `None` if there is none, which only [`Find`](Self::Find) returns.
    ///
    /// # Errors
    /// As [`Allocator::worktree_environment`], [`Allocator::find_worktree_environment`] and
    /// [`Allocator::repair_worktree_environment`].
    pub fn with(self, allocator: &Allocator, request: &EnvironmentRequest) -> Result<Option<Environment>> {
        match self {
            Self::Make => allocator.worktree_environment(request).map(Some),
            Self::Find => allocator.find_worktree_environment(request),
            Self::Repair => allocator.repair_worktree_environment(request).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn a_repair_may_make_another_one() {
        assert_eq!(Obtain::given(true, true).unwrap(), Obtain::Repair);
        let refused = Obtain::given(false, true).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidArgument);
    }
}
