//! The worktree of an environment, as its record and its variables name it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The worktree as an absolute path without links. It must be UTF-8, because it goes into files and variables.
pub(crate) fn worktree(given: Option<&Path>) -> Result<PathBuf> {
    let invalid = |what: String| Error::invalid_argument(what, "name an existing directory as the worktree");
    let path = match given {
        // The kernel knows the path even if this user may not read it, as after `su` in root's home.
        None => std::env::current_dir()
            .map_err(|error| invalid(format!("the current directory has been removed: {error}")))?,
        Some(given) => {
            let unusable = |why: String| invalid(format!("the worktree {} {why}", given.display()));
            let path = given.canonicalize().map_err(|error| unusable(format!("cannot be used: {error}")))?;
            if !path.is_dir() {
                return Err(unusable("is not a directory".to_owned()));
            }
            path
        }
    };
    if path.to_str().is_none() {
        return Err(invalid(format!("the worktree {} is not valid UTF-8", path.display())));
    }
    Ok(path)
}
