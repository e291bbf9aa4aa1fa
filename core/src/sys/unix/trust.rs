//! What the mode of a file or directory says about who else can change it.

use super::users::user_id;
use crate::sys::entry::Entry;

impl Entry {
    /// Whether every user may create files in it, and only their owners (and the directory's) may remove them.
    pub(in crate::sys) fn is_sticky_for_all(self) -> bool {
        self.is_directory() && self.mode & 0o1002 == 0o1002
    }

    /// Whether it is world-writable.
    pub(crate) fn is_writable_for_all(self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Why a directory of the registry cannot be trusted: other users could swap or empty it. `None` if it can.
    pub(crate) fn distrust_as_directory(self) -> Option<String> {
        if !self.is_directory() {
            return Some(format!("is {}", self.describe()));
        }
        let trusted_owner = self.user == 0 || self.user == user_id();
        if !trusted_owner && !self.is_sticky_for_all() {
            return Some(format!(
                "belongs to user {} and is not shared (its mode is {:o}, not 1777)",
                self.user, self.mode
            ));
        }
        if self.mode & 0o1002 == 0o0002 {
            return Some(format!(
                "can be emptied by anyone (its mode is {:o}: world-writable without the sticky bit)",
                self.mode
            ));
        }
        None
    }
}
