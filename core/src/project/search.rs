//! Searches a directory and those above it for the Git worktree that contains it, and for its project file. Knows no
//! keys.
//!
//! The search ends at the first directory with a `.git`, so that a worktree inside of a checkout is its own, and never
//! gets the project file of the checkout around it.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::Project;
use crate::error::{Error, Result};
use crate::sys;

/// The project file's name.
const FILE_NAME: &str = "portalloc.toml";

/// A directory in each worktree of Git but a linked one or a submodule, where it is a file.
const GIT: &str = ".git";

/// What a search has found.
pub(crate) struct Found {
    from: PathBuf,
    /// The nearest directory that has a `.git`.
    git: Option<PathBuf>,
    /// The path of the nearest project file, in that directory or below.
    file: Option<PathBuf>,
}

/// Searches from `directory`, which may be a link.
///
/// # Errors
/// `invalid_argument` if it does not exist, `io`.
pub(crate) fn search(directory: &Path) -> Result<Found> {
    let from = directory.canonicalize().map_err(|error| {
        Error::invalid_argument(
            format!("the worktree {} cannot be used: {error}", directory.display()),
            "name an existing directory as the worktree",
        )
    })?;
    search_up(from)
}

/// Searches from the current directory. `None` if that has been removed.
pub(crate) fn search_here() -> Result<Option<Found>> {
    // The kernel knows the path even if this user may not read it, as after `su` in root's home.
    std::env::current_dir().ok().map(search_up).transpose()
}

impl Found {
    /// The worktree: the directory with the `.git`; without Git that of the project file, else the one to start from.
    pub(crate) fn worktree(&self) -> &Path {
        let of_file = || self.file.as_deref().and_then(Path::parent);
        self.git.as_deref().or_else(of_file).unwrap_or(&self.from)
    }

    /// The directory with the `.git`.
    pub(crate) fn git(self) -> Option<PathBuf> {
        self.git
    }

    /// The project file, if there is one.
    ///
    /// # Errors
    /// As [`Project::read`].
    pub(crate) fn project(&self) -> Result<Option<Project>> {
        self.file.as_ref().map(Project::read).transpose()
    }
}

/// Searches `from`, a path without links, and the directories above it.
fn search_up(from: PathBuf) -> Result<Found> {
    let (mut git, mut file) = (None, None);
    for directory in from.ancestors() {
        let path = directory.join(FILE_NAME);
        // Checks neither whether it can be read nor where a link leads: a broken file must not count as missing.
        if file.is_none() && look(&path, fs::symlink_metadata(&path))?.is_some() {
            file = Some(path);
        }
        let path = directory.join(GIT);
        if look(&path, fs::metadata(&path))?.is_some_and(|found| found.is_dir() || found.is_file()) {
            git = Some(directory.to_owned());
            break;
        }
    }
    Ok(Found { from, git, file })
}

/// The entry, if there is one. A directory that this user may not search has none.
fn look(path: &Path, entry: io::Result<Metadata>) -> Result<Option<Metadata>> {
    match entry {
        Ok(entry) => Ok(Some(entry)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::InvalidFilename => Ok(None), // the last: no file can be there
            _ if sys::leads_in_a_circle(&error) => Ok(None),
            _ => Err(Error::os(format!("cannot look for {}", path.display()), error)),
        },
    }
}
