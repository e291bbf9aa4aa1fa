//! One hash over several values. Pure.

use sha2::{Digest, Sha256};

/// SHA-256 over the parts, each with its length before it, which keeps ("ab", "c") and ("a", "bc") apart.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
