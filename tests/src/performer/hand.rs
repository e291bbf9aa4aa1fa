//! Guards, passing a lease on, and the limit on descriptors.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::process::Command;

use portalloc::{Lease, Result, SocketOptions};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use super::Performer;
use crate::options::Options;

impl Performer {
    fn leased(&self, number: usize) -> &Lease {
        self.leases[number].as_ref().expect("a lease of that number")
    }

    /// `guard LEASE to shut|reuse|none`
    pub(super) fn guard(&self, options: Options<'_>) -> Result<Value> {
        let lease = self.leased(options.first());
        match options.get::<String>("to").as_deref() {
            Some("reuse") => lease.share_guard()?,
            Some("none") => lease.drop_guard(),
            _ => lease.guard()?,
        }
        Ok(format!("{:?}", lease.guard_state()).into())
    }

    /// `socket LEASE`: a socket of the first port, which is closed again.
    pub(super) fn socket(&self, options: Options<'_>) -> Result<Value> {
        self.leased(options.first()).socket(0, &SocketOptions::tcp()).map(|_| Value::Null)
    }

    /// `pass LEASE`: to a program that runs until it is killed.
    pub(super) fn pass(&self, options: Options<'_>) -> Result<Value> {
        let _inherited = self.leased(options.first()).inheritable()?;
        #[expect(clippy::zombie_processes, reason = "whoever asked for it kills it, or the end of the test does")]
        let child = Command::new("sleep").arg("300").spawn().expect("a program starts");
        Ok(json!({"child": child.id()}))
    }
}

/// `limit N`: so many descriptors from now on.
pub(super) fn limit(options: Options<'_>) -> Value {
    let most = options.first();
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).expect("the limit is set");
    Value::Null
}

/// How many descriptors are open, that of the look included. The limit is one on their numbers, so those that lie far above
/// are none of them: the registry's own, and what whoever started the tests left open.
pub(super) fn descriptors() -> Value {
    let open = std::fs::read_dir("/proc/self/fd").expect("the descriptors").flatten();
    open.filter(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()).is_some_and(|fd: u32| fd < 64))
        .count()
        .into()
}
