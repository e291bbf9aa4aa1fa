//! The users of this machine, and its name.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ptr;

/// Buffer size for the texts of an entry; larger than what the system's library suggests.
const ROOM: usize = 16 << 10;

/// The effective user ID of this process.
pub(crate) fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The name of a user, if the system has one for the number.
pub(crate) fn user_name(user: u32) -> Option<String> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let mut texts = vec![0; ROOM];
    let mut found = ptr::null_mut();
    let (to, room) = (entry.as_mut_ptr(), texts.len());
    // SAFETY: it writes an entry, at most `room` bytes of texts, and a pointer to the entry, or null if there is none.
    let failed = unsafe { libc::getpwuid_r(user, to, texts.as_mut_ptr(), room, &raw mut found) };
    // SAFETY: null, or the entry, which is initialised then.
    let found = unsafe { found.as_ref() }.filter(|_| failed == 0)?;
    // SAFETY: the name is a C string among the texts, which live until the end.
    let name = unsafe { CStr::from_ptr(found.pw_name) };
    Some(name.to_string_lossy().into_owned())
}

/// The name of this host.
pub(crate) fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_0_has_a_name() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(user_name(u32::MAX - 7), None);
    }
}
