//! Open allocators for borders whose calls name none: `lease(1)` in Python, Node, C or Go. A value like any other, of
//! which each border keeps one; knows variables and the project file, but no language.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::allocator::Allocator;
use crate::error::Result;
use crate::project::Project;
use crate::settings::Settings;
use crate::sys::PerProcess;

/// As many different settings as one process is likely to use in turns.
const MAX_OPEN: usize = 8;

/// Allocators that stay open between calls, each for the settings that were in force when it was opened.
///
/// Variables and the current folder are read at every call; the project file once for each of them, when a call first meets
/// it. May be shared by threads. A forked child may use its copy, which opens all anew.
pub struct Allocators {
    open: PerProcess<Mutex<Vec<(Circumstances, Allocator)>>>,
}

/// What the settings of a call depend on.
#[derive(PartialEq, Eq)]
struct Circumstances {
    settings: Settings,
    variables: [Option<OsString>; 3],
    /// None if it was removed meanwhile.
    folder: Option<PathBuf>,
}

impl Default for Allocators {
    fn default() -> Self {
        Self::new()
    }
}

impl Allocators {
    /// None open yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { open: PerProcess::new() }
    }

    /// Does `work` with an allocator for `settings`, over the variables, over the project file of the current folder.
    ///
    /// # Errors
    /// As [`Settings::open`] and [`Project::nearest`], and whatever `work` fails with.
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
        Self { settings: settings.clone(), variables, folder: std::env::current_dir().ok() }
    }

    fn open(&self) -> Result<Allocator> {
        let project = self.folder.as_deref().map_or(Ok(None), Project::nearest)?;
        let settings = self.settings.clone();
        project.iter().fold(settings, Settings::project).open()
    }
}
