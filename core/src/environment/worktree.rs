//! The worktree of an environment, as its record and its variables name it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The worktree as an absolute path without links. It must be UTF-8, because it goes into files and variables.
pub(super) fn worktree(given: Option<&Path>) -> Result<PathBuf> {
    let given = given.unwrap_or(Path::new("."));
    let invalid = |why: String| {
        Error::invalid_argument(
            format!("the worktree {} {why}", given.display()),
            "name an existing directory with --worktree",
        )
    };
    let path = given.canonicalize().map_err(|error| invalid(format!("cannot be used: {error}")))?;
    if !path.is_dir() {
        return Err(invalid("is not a directory".to_owned()));
    }
    if path.to_str().is_none() {
        return Err(invalid("is not valid UTF-8".to_owned()));
    }
    Ok(path)
}
