//! What Unix-like systems share: files and directories, descriptors, children, users, forks.

#[expect(unsafe_code, reason = "only a system call can set what a signal does")]
pub(super) mod children;
pub(super) mod descriptor;
pub(super) mod directory;
pub(super) mod entries;
pub(super) mod files;
#[expect(unsafe_code, reason = "only system calls and libc know of forks")]
pub(super) mod fork;
pub(super) mod likeness;
pub(super) mod limit;
#[expect(unsafe_code, reason = "no safe call takes 64-bit offsets on every target")]
pub(super) mod locks;
pub(super) mod ready;
pub(super) mod replace;
#[expect(unsafe_code, reason = "between fork and exec nothing but system calls will do")]
pub(super) mod spawn;
mod trust;
#[expect(unsafe_code, reason = "only libc knows the names of users")]
pub(super) mod users;
