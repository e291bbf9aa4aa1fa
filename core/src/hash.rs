//! One hash over several values. Pure.

use sha2::{Digest, Sha256};

/// SHA-256 of the parts, each preceded by its length, so that ("ab", "c") and ("a", "bc") differ.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The first 8 bytes of the hash of the parts, as a number.
pub(crate) fn number(parts: &[&[u8]]) -> u64 {
    sha256(parts).first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
