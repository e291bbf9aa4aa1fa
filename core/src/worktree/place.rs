//! Which directory is the worktree of another one, and what it declares.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::project::{self, Found, Project};

/// A worktree: a checkout of a project.
///
/// It is the nearest directory, upwards, that has a `.git`, which may be a directory or a file. So a worktree inside of
/// another one is its own. Without Git it is the directory of the nearest `portalloc.toml`, else the directory itself.
///
/// ```
/// use portalloc::worktree::Worktree;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let root = scratch.path().canonicalize().unwrap();
/// std::fs::create_dir_all(root.join("shop/.git")).unwrap();
/// std::fs::create_dir_all(root.join("shop/src/cart")).unwrap();
/// let worktree = Worktree::of(&root.join("shop/src/cart"))?;
/// assert_eq!(worktree.directory(), root.join("shop"));
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worktree {
    directory: PathBuf,
    project: Option<Project>,
}

impl Worktree {
    /// The worktree of a directory.
    ///
    /// # Errors
    /// `invalid_argument` if there is no such directory; as [`Project::read`].
    pub fn of(directory: &Path) -> Result<Self> {
        Self::found(&project::search(directory)?)
    }

    /// The worktree of the current directory.
    ///
    /// # Errors
    /// `invalid_argument` if the current directory has been removed; as [`Project::read`].
    pub fn current() -> Result<Self> {
        match project::search_here()? {
            Some(found) => Self::found(&found),
            None => Err(Error::invalid_argument(
                "the current directory has been removed",
                "name an existing directory as the worktree",
            )),
        }
    }

    /// Its path, absolute and without links.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its `portalloc.toml`: the nearest one, from the directory that was asked for up to the worktree's.
    #[must_use]
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    fn found(found: &Found) -> Result<Self> {
        Ok(Self { directory: found.worktree().to_owned(), project: found.project()? })
    }
}
