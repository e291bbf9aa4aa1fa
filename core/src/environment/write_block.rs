//! The files in which the environment of a worktree has managed blocks. The worktree's index lists a file before its
//! block is written, so that a removal finds whatever a killed process has left.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::block::{self, Owner};
use super::{Environment, status};
use crate::error::{Error, ErrorCode, Result};
use crate::process::warn_once;
use crate::registry::Registry;
use crate::worktree::{Index, Key, lock};

/// How long to wait for another process that makes, repairs or removes the environment.
const PATIENCE: Duration = Duration::from_secs(30);

impl Environment {
    /// Writes this environment's variables into a managed block of the file at `path`: between two marker lines, at the
    /// end of the file, or where its block is. Everything else in the file stays as it is, byte for byte. A file that has
    /// just this block stays untouched; one that does not exist is made. A link at `path` stays, and its target is changed.
    /// The block is removed with the environment, and so is the file, if portalloc made it and nothing else is in it.
    ///
    /// Other environments, and editors that save the file at the same moment, lose nothing.
    ///
    /// ```
    /// use portalloc::EnvironmentRequest;
    ///
    /// # let scratch = tempfile::tempdir().unwrap();
    /// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
    /// let request = EnvironmentRequest::new().names(["web"]).worktree(scratch.path());
    /// let environment = allocator.worktree_environment(&request)?;
    /// let file = scratch.path().join(".env.local");
    /// environment.write_block(&file)?;
    /// let text = std::fs::read_to_string(&file).unwrap();
    /// assert!(text.contains(&format!("\nWEB_PORT={}\n", environment.ports()[0])));
    /// environment.cleanup()?;
    /// assert!(!file.exists());
    /// # Ok::<(), portalloc::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_argument` if it is not the environment of its worktree, if `path` leads to no text file, or if the file's
    /// block was cut off, with file and line; `permission_denied` if the file or its directory is not this user's to
    /// change; `not_found` if the environment has been removed; `in_use` or `timeout` if other processes are in the way
    /// all the time; `registry_unusable`, `io`. Nothing is changed then.
    pub fn write_block(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = block::locate(path.as_ref())?;
        let (owner, key) = (self.block_owner(), self.worktree_key());
        let variables = self.variables();
        self.registry.reopening(|registry| {
            // Usually it is there: then nobody needs to wait for anybody.
            let is_listed = self.index(registry, &key)?.is_some_and(|index| index.blocks.contains(&path));
            if is_listed && block::is_written(&path, &owner, &variables) {
                return Ok(());
            }
            let ports = registry.ports()?;
            let _lock = match lock(registry, &ports, &key, PATIENCE, || Ok(None::<Infallible>))? {
                Ok(lock) => lock,
                Err(never) => match never {},
            };
            let index = match self.index(registry, &key)? {
                Some(index) if status::lives(registry, self.id())? => index,
                _ => return Err(self.not_of_worktree()),
            };
            block::check(&path, &owner, &variables)?;
            if !index.blocks.contains(&path) {
                let blocks = index.blocks.iter().cloned().chain([path.clone()]).collect();
                Index { blocks, ..index }.write(registry, &key)?;
            }
            block::write(&path, &owner, &variables)
        })
    }

    /// Writes this environment's variables into those of the files that have a block of its worktree, after it has
    /// replaced another one. A file that cannot be changed is warned of, because the environment is right without it.
    pub(crate) fn rewrite_blocks(&self, files: &[PathBuf]) {
        for path in files {
            if let Err(error) = block::rewrite(path, &self.block_owner(), &self.variables()) {
                let path = path.display().to_string();
                warn_once("managed_block", &path, format!("the managed block in {path} is out of date: {error}"));
            }
        }
    }

    /// The index of its worktree, if that names this environment.
    fn index(&self, registry: &Registry, key: &Key) -> Result<Option<Index>> {
        let index = Index::read(registry, key)?;
        Ok(index.filter(|index| index.id == self.id() || index.before == Some(self.id())))
    }

    fn not_of_worktree(&self) -> Error {
        let id = self.id();
        let worktree = self.record.worktree_path.display();
        match status::lives(&self.registry, id) {
            Ok(false) => Error::new(
                ErrorCode::NotFound,
                format!("the environment {id} has been removed, or is stale"),
                "ask for the environment of the worktree again",
            ),
            _ => Error::invalid_argument(
                format!("{id} is not the environment of the worktree {worktree}, so nothing would remove its block"),
                "write a block of the worktree's environment (`portalloc env`), or give this one an env file",
            ),
        }
    }

    fn worktree_key(&self) -> Key {
        Key::new(&self.record.worktree_path, self.registry.user(), &self.record.instance_id)
    }

    fn block_owner(&self) -> Owner {
        Owner::new(self.id(), &self.record.instance_id, &self.record.worktree_path.to_string_lossy())
    }
}
