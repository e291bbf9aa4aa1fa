//! Access for the fuzzer (`proof/fuzz`) to the text of managed blocks. Pure.

use super::markers::Owner;
use super::text;
use crate::id::IsolationId;

/// A text with the block of an environment, and the lines of the blocks that were replaced; `None` if it is refused.
#[must_use]
pub fn with_block(
    text: &[u8],
    id: IsolationId,
    instance: &str,
    worktree: &str,
    lines: &str,
) -> Option<(Vec<u8>, usize)> {
    let edit = text::insert(text, &Owner::new(id, instance, worktree), lines, false).ok()?;
    Some((edit.text, edit.found.len()))
}

/// A text without the block of an environment, and how many blocks that were; `None` if it is refused.
#[must_use]
pub fn without_block(text: &[u8], id: IsolationId) -> Option<(Vec<u8>, usize)> {
    let edit = text::remove(text, |owner| owner.id == id).ok()?;
    Some((edit.text, edit.found.len()))
}

/// What is not in blocks.
#[must_use]
pub fn without_blocks(text: &[u8]) -> Vec<u8> {
    text::without_blocks(text)
}
