//! Removes the managed blocks that the index of a worktree lists.

use super::block::{self, Owner};
use super::removal::Removal;
use super::traces::Leftover;
use crate::error::Result;
use crate::registry::Registry;
use crate::worktree::{Index, Key};

/// Removes the blocks of the worktree's environment, and returns the files that are not portalloc's to change any more.
/// The caller has the worktree's lock.
pub(super) fn remove_blocks(registry: &Registry, key: &Key) -> Result<Vec<Leftover>> {
    let Some(Index { id, blocks, .. }) = Index::read(registry, key)? else { return Ok(Vec::new()) };
    let owner = Owner::new(id, &key.instance, &key.worktree.to_string_lossy());
    let mut left = Vec::new();
    for path in blocks {
        match block::remove(&path, &owner) {
            Removal::Removed | Removal::Absent => {}
            Removal::NotOurs(why) => left.push(Leftover { path, why }),
            Removal::Failed(error) => return Err(error),
        }
    }
    Ok(left)
}
