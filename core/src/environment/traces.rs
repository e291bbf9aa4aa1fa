//! Removes an environment's files: temp directory, env file, then the record, so that anything that could not be
//! removed is still named by a record, and the cleanup can be repeated.

use std::path::{Path, PathBuf};

use super::removal::Removal;
use super::{env_file, temp_dir};
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::registry::{Record, Registry};

/// A file or directory that was left in place, because it is not portalloc's.
///
/// [`CleanupReport`](crate::cleanup::CleanupReport) has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Its path.
    pub path: PathBuf,
    /// Why it was left, as in "is a symbolic link".
    pub why: String,
}

/// What a cleanup removed, and what it left.
///
/// [`CleanupReport`](crate::cleanup::CleanupReport) has an example.
#[derive(Debug, Default)]
pub struct CleanupOutcome {
    /// The temp directory, if it existed.
    pub temp_dir: Option<PathBuf>,
    /// The env file, if it existed and still named this environment.
    pub env_file: Option<PathBuf>,
    /// Paths that the record names, but that do not belong to the environment.
    pub left: Vec<Leftover>,
    failure: Option<Error>,
}

impl CleanupOutcome {
    pub(super) fn into_result(self) -> Result<Self> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Records the result for `path`, and returns the path if it was removed.
    fn note(&mut self, path: PathBuf, removal: Removal) -> Option<PathBuf> {
        match removal {
            Removal::Removed => return Some(path),
            Removal::Absent => {}
            Removal::NotOurs(why) => self.left.push(Leftover { path, why }),
            Removal::Failed(error) => self.failure = Some(error),
        }
        None
    }

    /// As [`note`](Self::note) of an env file that is seldom there, but does not report a file of another environment.
    fn note_if_ours(&mut self, path: &Path, id: IsolationId) -> Option<PathBuf> {
        match env_file::remove(path, id) {
            Removal::NotOurs(_) => None,
            removal => self.note(path.to_owned(), removal),
        }
    }
}

/// Removes temp directory and env file, and then, unless one of them could not be removed, the record.
pub(super) fn remove(registry: &Registry, record: &Record) -> CleanupOutcome {
    let id = record.isolation_id;
    let mut traces = CleanupOutcome::default();
    // step: RemoveTempDir
    traces.temp_dir = traces.note(record.temp_dir.clone(), temp_dir::remove(&record.temp_dir, id));
    if let Some((named, other)) = env_file::candidates(record) {
        // The environment's own name comes first: removing the file at the other path moves it there.
        // step: NoteBefore
        let before = if env_file::is_own_name(&other, id) { traces.note_if_ours(&other, id) } else { None };
        // step: RemoveEnvFiles
        let removed = traces.note(named.clone(), env_file::remove(&named, id));
        // A file at the other path is rare; files at both mean that the creator died during the exchange.
        // step: NoteAfter
        let after = if env_file::is_own_name(&other, id) { None } else { traces.note_if_ours(&other, id) };
        traces.env_file = removed.or(before).or(after);
    }
    if traces.failure.is_none() {
        // step: RemoveTheRecord
        traces.failure = registry.records().remove(id, record.is_unfinished).err();
    }
    traces
}
