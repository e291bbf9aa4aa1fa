//! Which bytes of the `ports` file stand for a worktree and for an environment. They lie beyond those of the ports, and
//! must never change: locks elsewhere exclude nobody. Pure.

use crate::id::IsolationId;

/// Whoever has the lock of such a byte decides which environment a worktree has.
const WORKTREES: u64 = 1 << 42;

/// Whoever shares the lock of such a byte uses an environment, which is not removed meanwhile.
const ENVIRONMENTS: u64 = 1 << 43;

/// How many bytes stand for worktrees, and how many for environments.
const EACH: u64 = 1 << 42;

/// The byte of the worktree whose key has this hash.
pub(crate) fn worktree_byte(hash: u64) -> u64 {
    WORKTREES + hash % EACH
}

/// The byte of an environment.
pub(crate) fn environment_byte(id: IsolationId) -> u64 {
    let number = id.bytes().iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
    ENVIRONMENTS + number % EACH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_stand_for_one_thing_each() {
        assert_eq!(worktree_byte(0), 1 << 42);
        assert_eq!(worktree_byte(u64::MAX), (1 << 43) - 1);
        let byte = |id: &str| environment_byte(id.parse().unwrap());
        assert_eq!(byte("000000000000"), 1 << 43);
        assert_eq!(byte("000000000102"), (1 << 43) + 0x102);
        assert_eq!(byte("ffffffffffff"), (1 << 43) + (1 << 42) - 1);
    }
}
