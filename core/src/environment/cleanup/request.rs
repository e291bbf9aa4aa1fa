//! Which environments a cleanup removes, and what became of them. Pure.

use std::path::PathBuf;
use std::time::Duration;

use crate::environment::status::StaleReason;
use crate::environment::traces::CleanupOutcome;
use crate::error::{Error, Result};
use crate::id::IsolationId;

/// Which environments to remove.
///
/// ```
/// use std::time::Duration;
/// use portalloc::cleanup::{Cleanup, Selection};
///
/// let old = Cleanup::new(Selection::OlderThan(Duration::from_secs(2 * 60 * 60)));
/// # drop(old);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The environment with this ID, kept or stale.
    Id(IsolationId),
    /// All kept and stale environments of this user.
    All,
    /// All stale environments of this user, and the leftovers of crashes.
    Stale,
    /// What killed processes of this user left: environments that nobody holds any more, or that their maker did not
    /// finish. Only those of this mount namespace, and only those whose ports no other process is looking at, because
    /// this waits for no lock.
    Abandoned,
    /// All kept and stale environments of this user that were created longer ago than this.
    OlderThan(Duration),
}

/// The environments to clean up.
///
/// ```
/// use portalloc::cleanup::{Cleanup, Selection};
/// use portalloc::EnvironmentRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().kept())?;
/// let report = allocator.cleanup(&Cleanup::new(Selection::Id(environment.id())))?;
/// assert_eq!(report.removed[0].ports, environment.ports());
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Cleanup {
    pub(super) selection: Selection,
    pub(super) worktree: Option<PathBuf>,
    pub(super) limit: Option<(usize, Duration)>,
}

/// Why an environment was removed.
///
/// [`CleanupReport`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The caller named it, or selected all.
    Asked,
    /// It was stale.
    Stale(StaleReason),
    /// It was this old, older than the limit.
    Older(Duration),
}

/// An environment that was removed.
///
/// [`CleanupReport`] has an example.
#[derive(Debug)]
pub struct Removed {
    /// Its ID.
    pub id: IsolationId,
    /// Why it was removed.
    pub reason: Reason,
    /// Those of its ports that still belonged to it.
    pub ports: Vec<u16>,
    /// What was removed and what was left.
    pub traces: CleanupOutcome,
}

/// A selected environment that could not be removed.
///
/// [`CleanupReport`] has an example.
#[derive(Debug)]
pub struct Skipped {
    /// Its ID.
    pub id: IsolationId,
    /// Why it could not be removed.
    pub error: Error,
}

/// The result of a cleanup.
///
/// ```
/// use portalloc::cleanup::{Cleanup, Selection};
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let report = allocator.cleanup(&Cleanup::new(Selection::Stale))?.strict()?;
/// assert!(report.removed.is_empty(), "nothing is stale");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct CleanupReport {
    /// The environments that were removed.
    pub removed: Vec<Removed>,
    /// The environments that could not be removed.
    pub skipped: Vec<Skipped>,
    /// Temp directories and unfinished files that belonged to no environment.
    pub swept: Vec<PathBuf>,
}

impl CleanupReport {
    /// Returns the report if nothing was skipped, else the first error. By then everything else has been removed.
    ///
    /// # Errors
    /// The error of the first environment that could not be removed.
    pub fn strict(mut self) -> Result<Self> {
        if self.skipped.is_empty() { Ok(self) } else { Err(self.skipped.swap_remove(0).error) }
    }
}

impl Cleanup {
    /// A cleanup of these environments.
    pub fn new(selection: Selection) -> Self {
        Self { selection, worktree: None, limit: None }
    }

    /// Limits the cleanup to the environments of this worktree.
    pub fn worktree(mut self, path: impl Into<PathBuf>) -> Self {
        self.worktree = Some(path.into());
        self
    }

    /// Removes at most `count` environments, looks at no more than four times as many, and begins with none once this much
    /// time has passed. It begins at a random one, so that calls that each get through a few get through all.
    pub fn limit(mut self, count: usize, time: Duration) -> Self {
        self.limit = Some((count, time));
        self
    }
}
