//! The lock of a worktree: whoever has it decides which environment is the worktree's. It is one byte of the `ports`
//! file, and dies with its holder. It is taken before the locks of any ports.

use std::time::Duration;

use super::key::Key;
use crate::backoff::{Backoff, Deadline};
use crate::error::{Error, ErrorCode, Result};
use crate::registry::{ByteLock, PortsFile, Registry, worktree_byte};
use crate::sys::CloseWatch;

/// The longest pause between two attempts: a process that is killed is reported just before its lock is free.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Locks the worktree of `key`; waits for up to `limit`. `look` is asked after each pause: what it returns ends the
/// wait, because then there is nothing left to decide.
///
/// # Errors
/// `in_use` if another process has the lock all the time; any error of `look`.
pub(crate) fn lock<'a, T>(
    registry: &Registry,
    ports: &'a PortsFile,
    key: &Key,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<std::result::Result<ByteLock<'a>, T>> {
    let byte = worktree_byte(key.hash());
    let mut waiting: Option<(Backoff, CloseWatch)> = None;
    loop {
        if let Some(lock) = ports.try_lock_byte(byte)? {
            return Ok(Ok(lock));
        }
        let (backoff, watch) = waiting.get_or_insert_with(|| {
            let watch = CloseWatch::new(registry.ports_path());
            (Backoff::growing(Deadline::new(limit), LONGEST_PAUSE), watch)
        });
        let Some(pause) = backoff.next() else { return Err(in_use(key, backoff.deadline.waited())) };
        if watch.wait(pause).map_err(|error| Error::os("cannot wait for the lock of a worktree", error))? {
            backoff.hurry();
        }
        if let Some(found) = look()? {
            return Ok(Err(found));
        }
    }
}

fn in_use(key: &Key, waited: Duration) -> Error {
    let worktree = key.worktree.display();
    let waited = match waited.is_zero() {
        true => String::new(),
        false => format!(", and has been for {}", humantime::format_duration(waited)),
    };
    Error::new(
        ErrorCode::InUse,
        format!("another process is making, repairing or removing the environment of the worktree {worktree}{waited}"),
        "try again when it is done; if it hangs, end it: `ps -C portalloc -o pid,lstart,args`",
    )
}
