//! Which directory is the worktree of another one, and what it declares.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::project::Project;

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
        let unusable = |why: String| {
            Error::invalid_argument(
                format!("the worktree {} {why}", directory.display()),
                "name an existing directory as the worktree",
            )
        };
        let path = directory.canonicalize().map_err(|error| unusable(format!("cannot be used: {error}")))?;
        if !path.is_dir() {
            return Err(unusable("is not a directory".to_owned()));
        }
        Self::around(path)
    }

    /// The worktree of the current directory.
    ///
    /// # Errors
    /// `invalid_argument` if the current directory has been removed; as [`Project::read`].
    pub fn current() -> Result<Self> {
        // The kernel knows the path even if this user may not read it, as after `su` in root's home.
        let path = std::env::current_dir().map_err(|error| {
            Error::invalid_argument(
                format!("the current directory has been removed: {error}"),
                "name an existing directory as the worktree",
            )
        })?;
        Self::around(path)
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

    /// The worktree of a path without links.
    fn around(path: PathBuf) -> Result<Self> {
        let project = Project::nearest(&path)?;
        let directory = path
            .ancestors()
            .find(|directory| directory.join(".git").symlink_metadata().is_ok())
            .or_else(|| project.as_ref().map(Project::directory))
            .map(Path::to_owned);
        Ok(Self { directory: directory.unwrap_or(path), project })
    }
}
