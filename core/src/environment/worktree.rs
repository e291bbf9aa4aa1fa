//! The worktree of an environment, as its record and its variables name it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::project;

/// The worktree of a request that names none, and that was completed from a project file in the directory `declared`, if
/// any.
pub(super) fn unnamed(declared: Option<&Path>) -> Result<PathBuf> {
    match declared {
        Some(declared) => directory(&project::search(declared)?.git().unwrap_or_else(|| declared.to_owned())),
        None => match project::search_here()? {
            Some(found) => in_text(found.worktree().to_owned()),
            None => Err(unusable("the current directory has been removed".to_owned())),
        },
    }
}

/// A directory that is named as the worktree, as an absolute path without links.
pub(super) fn directory(named: &Path) -> Result<PathBuf> {
    let shown = named.display();
    let path =
        named.canonicalize().map_err(|error| unusable(format!("the worktree {shown} cannot be used: {error}")))?;
    if !path.is_dir() {
        return Err(unusable(format!("the worktree {shown} is not a directory")));
    }
    in_text(path)
}

/// It must be UTF-8, because it goes into files and variables.
pub(super) fn in_text(path: PathBuf) -> Result<PathBuf> {
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(unusable(format!("the worktree {} is not valid UTF-8", path.display()))),
    }
}

fn unusable(what: String) -> Error {
    Error::invalid_argument(what, "name an existing directory as the worktree")
}
