//! What tells the environments of worktrees apart: the worktree's path, the user, and the instance ID. Pure.

use std::path::{Path, PathBuf};

use crate::hash::number;

/// Whose environment it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// An absolute path without links.
    pub(crate) worktree: PathBuf,
    /// The instance ID, or empty text.
    pub(crate) instance: String,
    hash: u64,
}

impl Key {
    pub(crate) fn new(worktree: &Path, user: u32, instance: &str) -> Self {
        let hash = number(&[worktree.as_os_str().as_encoded_bytes(), user.to_string().as_bytes(), instance.as_bytes()]);
        Self { worktree: worktree.to_owned(), instance: instance.to_owned(), hash }
    }

    /// The hash, by which its lock and its index are found.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// The name of its index.
    pub(crate) fn file_name(&self) -> String {
        format!("{:016x}", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let key = |worktree: &str, user, instance: &str| Key::new(Path::new(worktree), user, instance).hash();
        let one = key("/home/me/project", 1000, "a");
        assert_eq!(one, key("/home/me/project", 1000, "a"));
        for other in [
            key("/home/me/projec", 1000, "ta"),
            key("/home/me/project", 1001, "a"),
            key("/home/me/project", 1000, ""),
            key("/home/me/project1", 0, "a"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(Key::new(Path::new("/home/me/project"), 1000, "").file_name(), "7b6663f7af9d7699");
    }
}
