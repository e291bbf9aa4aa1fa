//! What an environment leaves in the file system besides its ports, and its removal: temp dir, env file, then the
//! record, so that whatever could not be removed is still named by a record and the cleanup can be repeated.

use std::path::{Path, PathBuf};

use super::removal::Removal;
use super::{env_file, temp_dir};
use crate::error::{Error, Result};
use crate::id::IsolationId;
use crate::registry::{Record, Registry};

/// Something that was left where it is, because it is not portalloc's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What.
    pub path: PathBuf,
    /// Why, as in "is a symbolic link".
    pub why: String,
}

/// What a cleanup removed, and what it left.
#[derive(Debug, Default)]
pub struct Traces {
    /// The temp dir, if it was there.
    pub temp_dir: Option<PathBuf>,
    /// The env file, if it was there and still named this environment.
    pub env_file: Option<PathBuf>,
    /// What the record named, but was not the environment's.
    pub left: Vec<Left>,
    failure: Option<Error>,
}

impl Traces {
    pub(super) fn into_result(self) -> Result<Self> {
        match self.failure {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }

    /// Notes what became of `path`; says whether it was removed.
    fn note(&mut self, path: PathBuf, removal: Removal) -> Option<PathBuf> {
        match removal {
            Removal::Removed => return Some(path),
            Removal::Absent => {}
            Removal::NotOurs(why) => self.left.push(Left { path, why }),
            Removal::Failed(error) => self.failure = Some(error),
        }
        None
    }

    /// As [`note`](Self::note) of an env file, where a neighbour's is nothing to speak of.
    fn note_if_ours(&mut self, path: &Path, id: IsolationId) -> Option<PathBuf> {
        match env_file::remove(path, id) {
            Removal::NotOurs(_) => None,
            removal => self.note(path.to_owned(), removal),
        }
    }
}

/// Removes temp dir and env file, and then, unless one of them could not be removed, the record.
pub(super) fn remove(registry: &Registry, record: &Record) -> Traces {
    let id = record.isolation_id;
    let mut traces = Traces::default();
    // step: RemoveTempDir
    traces.temp_dir = traces.note(record.temp_dir.clone(), temp_dir::remove(&record.temp_dir, id));
    if let Some((named, other)) = env_file::candidates(record) {
        // The name that is this environment's alone comes first: what is at the other one is moved there to be removed.
        // step: NoteBefore
        let before = if env_file::is_own_name(&other, id) { traces.note_if_ours(&other, id) } else { None };
        // step: RemoveEnvFiles
        let removed = traces.note(named.clone(), env_file::remove(&named, id));
        // Rarely it is at the other path; or at both, where its maker died while it exchanged them.
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
