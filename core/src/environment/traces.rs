//! What an environment leaves in the file system besides its ports, and its removal: temp dir, env file, then the
//! record, so that whatever could not be removed is still named by a record and the cleanup can be repeated.

use std::path::PathBuf;

use super::removal::Removal;
use super::{env_file, temp_dir};
use crate::error::{Error, Result};
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
}

/// Removes temp dir and env file, and then, unless one of them could not be removed, the record.
pub(super) fn remove(registry: &Registry, record: &Record) -> Traces {
    let id = record.isolation_id;
    let mut traces = Traces::default();
    traces.temp_dir = traces.note(record.temp_dir.clone(), temp_dir::remove(&record.temp_dir, id));
    if let Some((named, other)) = env_file::candidates(record) {
        let removal = env_file::remove(&named, id);
        let found = matches!(removal, Removal::Removed);
        traces.env_file = traces.note(named, removal);
        // Rarely it is at the other path, and a neighbour's that is there is nothing to speak of.
        if !found {
            match env_file::remove(&other, id) {
                Removal::NotOurs(_) => {}
                removal => traces.env_file = traces.note(other, removal),
            }
        }
    }
    if traces.failure.is_none() {
        traces.failure = registry.records().remove(id).err();
    }
    traces
}
