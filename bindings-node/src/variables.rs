//! The variables of the process: which thread's `process.env` writes them, and how those that were set are restored.

use std::fs;
use std::path::Path;

use napi::bindgen_prelude::Function;
use napi_derive::napi;
use portalloc::ffi;

/// Variables that were set, and what they were before.
#[napi]
pub struct Exported(ffi::Exported);

#[napi]
impl Exported {
    /// Notes that `variables` are set now; `now` returns the former value of one in the caller's `process.env`.
    #[napi(constructor)]
    pub fn new(variables: Vec<(String, String)>, now: Function<'_, String, Option<String>>) -> Self {
        Self(ffi::Exported::new(variables, |name| value(&now, name)))
    }

    /// What gives the variables their former values: names, each with a value to set again, or with null to delete it.
    #[napi]
    pub fn to_restore(&self, now: Function<'_, String, Option<String>>) -> Vec<(String, Option<String>)> {
        let restored = self.0.to_restore(|name| value(&now, name));
        restored.map(|(name, before)| (name.to_owned(), before.map(ToOwned::to_owned))).collect()
    }
}

fn value(now: &Function<'_, String, Option<String>>, name: &str) -> Option<String> {
    now.call(name.to_owned()).ok().flatten()
}

/// Whether this is the thread that the process began with: the one whose `process.env` may be that of the process.
#[napi]
pub fn is_first_thread() -> bool {
    // "PID/task/TID". Asked of the kernel: `node:worker_threads` would take longer to load than all of this package.
    let here = fs::read_link("/proc/thread-self").unwrap_or_default();
    let mut parts = here.iter();
    parts.next().is_some_and(|process| Path::new(process).file_name() == here.file_name())
}
