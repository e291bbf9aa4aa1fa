//! Open allocators for borders whose calls name none: `lease(1)` in Python, Node, C or Go. A value like any other, of
//! which each border keeps one; knows variables and the project file, but no language.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::project::Project;
use crate::settings::Settings;
use crate::sys::{self, PerProcess};

/// How old the last look at the project file and the network namespace may be. Looking at every lease would cost more
/// than the lease.
const LOOK_INTERVAL_MS: u64 = 10;

/// As many different settings as one process is likely to use in turns.
const MOST: usize = 8;

/// Allocators that stay open between calls, each for the settings that were in force when it was opened.
///
/// Variables and the current folder are read at every call; the project file is looked at again after 10 ms. A lease is
/// always of the network namespace that the calling thread is in (before Linux 5.14, and for calls that only look: that it
/// was in 10 ms ago). It may be shared by threads. A forked child may use its copy, which opens all anew.
pub struct Allocators {
    open: PerProcess<Mutex<Vec<Open>>>,
}

/// What the settings of a call depend on.
#[derive(Clone, PartialEq, Eq)]
struct Circumstances {
    settings: Settings,
    variables: [Option<OsString>; 3],
    /// None if it was removed meanwhile.
    folder: Option<PathBuf>,
}

struct Open {
    circumstances: Circumstances,
    looked_at_ms: u64,
    seen: Seen,
    allocator: Allocator,
}

/// What is looked at only now and then.
#[derive(PartialEq, Eq)]
struct Seen {
    namespace: u64,
    project: Option<Project>,
}

impl Seen {
    fn now(folder: Option<&Path>) -> Result<Self> {
        let namespace = sys::network_namespace().map_err(|error| Error::os(sys::words::NO_NETWORK_NAMESPACE, error))?;
        let project = folder.map_or(Ok(None), Project::nearest)?;
        Ok(Self { namespace, project })
    }
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
    /// If the registry turns out to have been removed or replaced, the next call opens it anew.
    ///
    /// # Errors
    /// As [`Settings::open`] and [`Project::nearest`], and whatever `work` fails with.
    pub fn with<T>(&self, settings: &Settings, work: impl FnOnce(&Allocator) -> Result<T>) -> Result<T> {
        let circumstances = Circumstances::now(settings);
        let done = self.get(&circumstances).and_then(|allocator| work(&allocator));
        if let Err(error) = &done
            && error.code() == ErrorCode::RegistryUnusable
        {
            self.lock().retain(|one| one.circumstances != circumstances);
        }
        done
    }

    fn get(&self, circumstances: &Circumstances) -> Result<Allocator> {
        let mut open = self.lock();
        let now = sys::monotonic_ms();
        let found = open.iter().position(|one| one.circumstances == *circumstances);
        if let Some(one) = found.and_then(|index| open.get_mut(index)) {
            if now.saturating_sub(one.looked_at_ms) < LOOK_INTERVAL_MS {
                return Ok(one.allocator.clone());
            }
            let seen = Seen::now(circumstances.folder.as_deref())?;
            if one.seen != seen {
                one.allocator = circumstances.open(&seen)?;
                one.seen = seen;
            }
            one.looked_at_ms = now;
            return Ok(one.allocator.clone());
        }
        let seen = Seen::now(circumstances.folder.as_deref())?;
        let allocator = circumstances.open(&seen)?;
        if open.len() == MOST {
            open.remove(0);
        }
        let circumstances = circumstances.clone();
        open.push(Open { circumstances, looked_at_ms: now, seen, allocator: allocator.clone() });
        Ok(allocator)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.get().lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circumstances {
    fn now(settings: &Settings) -> Self {
        let variables = Settings::VARIABLES.map(std::env::var_os);
        Self { settings: settings.clone(), variables, folder: std::env::current_dir().ok() }
    }

    fn open(&self, seen: &Seen) -> Result<Allocator> {
        let settings = match &seen.project {
            Some(project) => self.settings.clone().project(project),
            None => self.settings.clone(),
        };
        Ok(settings.clone().open()?.following(move || settings.clone().open()))
    }
}
