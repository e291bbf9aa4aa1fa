//! Whether somebody has been warned already of what was left to the garbage collector. Here, because a process has many
//! realms and threads of JavaScript, and one warning is enough for all.

use std::sync::atomic::{AtomicBool, Ordering};

use napi_derive::napi;

static WARNED: AtomicBool = AtomicBool::new(false);

/// True for the first caller in this process.
#[napi]
pub fn is_first_leak() -> bool {
    !WARNED.swap(true, Ordering::Relaxed)
}
