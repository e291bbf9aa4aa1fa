//! Open allocators for bindings whose calls do not name one, such as `lease(1)` in Python, Node, C and Go. Each binding
//! keeps one value of this type. Reads variables and the project file; knows no language.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::allocator::Allocator;
use crate::error::Result;
use crate::project::Project;
use crate::settings::Settings;
use crate::sys::PerProcess;

/// How many different settings one process is likely to alternate between.
const MAX_OPEN: usize = 8;

/// Allocators that stay open between calls, one for each combination of settings that was in force when it was opened.
///
/// Every call reads the variables and the current directory. The project file is read once per directory, when a call
/// first runs there. Threads may share this value. A forked child may use its copy, which opens every allocator again.
///
/// ```
/// use portalloc::Settings;
/// use portalloc::ffi::Allocators;
///
/// static ALLOCATORS: Allocators = Allocators::new();
///
/// # let scratch = tempfile::tempdir().unwrap();
/// let settings = Settings::new().directory(scratch.path().join("registry"));
/// let lease = ALLOCATORS.with(&settings, |allocator| allocator.lease(1))?;
/// assert!(lease.is_held());
/// # Ok::<(), portalloc::Error>(())
/// ```
pub struct Allocators {
    open: PerProcess<Mutex<Vec<(Circumstances, Allocator)>>>,
}

/// What the settings of a call depend on.
#[derive(PartialEq, Eq)]
struct Circumstances {
    settings: Settings,
    variables: [Option<OsString>; 3],
    /// `None` if the directory has been removed.
    directory: Option<PathBuf>,
}

impl Default for Allocators {
    fn default() -> Self {
        Self::new()
    }
}

impl Allocators {
    /// Creates an empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { open: PerProcess::new() }
    }

    /// Runs `work` with an allocator for `settings`, which override the variables, which override the project file of
    /// the current directory.
    ///
    /// # Errors
    /// As [`Settings::open`] and [`Project::nearest`], and any error of `work`.
    pub fn with<T>(&self, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> Result<T> {
        work(&self.get(Circumstances::now(settings))?)
    }

    fn get(&self, circumstances: Circumstances) -> Result<Allocator> {
        let mut open = self.lock();
        if let Some((_, allocator)) = open.iter().find(|(before, _)| *before == circumstances) {
            return Ok(allocator.clone());
        }
        let allocator = circumstances.open()?;
        if open.len() == MAX_OPEN {
            open.remove(0);
        }
        open.push((circumstances, allocator.clone()));
        Ok(allocator)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Circumstances, Allocator)>> {
        self.open.get().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circumstances {
    fn now(settings: &Settings) -> Self {
        let variables = Settings::VARIABLES.map(std::env::var_os);
        Self { settings: settings.clone(), variables, directory: std::env::current_dir().ok() }
    }

    fn open(&self) -> Result<Allocator> {
        let project = Project::current()?;
        let settings = self.settings.clone();
        project.iter().fold(settings, Settings::project).open()
    }
}
