//! Which variables are the process's. Knows none of them.

use std::fs;
use std::path::Path;

use napi_derive::napi;

/// Whether this is the thread that the process began with: the one whose `process.env` may be that of the process.
#[napi]
pub fn is_first_thread() -> bool {
    // "PID/task/TID". Asked of the kernel: `node:worker_threads` would take longer to load than all of this package.
    let here = fs::read_link("/proc/thread-self").unwrap_or_default();
    let mut parts = here.iter();
    parts.next().is_some_and(|process| Path::new(process).file_name() == here.file_name())
}
