//! Becoming another user, for a process that was loaded as root: others need not be able to read a checkout's files.

use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use crate::fault::Fallible;

pub(crate) fn own() -> u32 {
    Uid::effective().as_raw()
}

/// Whether this process may become any user: root, and not merely called so in a user namespace with no other users.
pub(crate) fn can_change() -> bool {
    let users = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    own() == 0
        && users.split_whitespace().nth(2).and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 1)
}

/// For good: all of the IDs, and no other groups.
pub(crate) fn become_user(user: u32) -> Fallible<()> {
    let (group, user) = (Gid::from_raw(user), Uid::from_raw(user));
    setgroups(&[])?;
    setresgid(group, group, group)?;
    Ok(setresuid(user, user, user)?)
}
