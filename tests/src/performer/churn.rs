//! `churn journal PATH seed N`: does everything there is to do, at random and for ever, so that a SIGKILL can hit it
//! anywhere. Says `ready` first, and then nothing, unless an operation fails that must not fail.

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::{Environment, EnvironmentRequest, ErrorCode, Lease, LeaseRequest, Result};
use portalloc_testkit::Random;
use serde_json::{Value, json};

use super::Performer;
use crate::Journal;
use crate::options::Options;

pub(super) fn churn(performer: &mut Performer, options: Options<'_>) -> Result<Value> {
    let path: String = options.get("journal").expect("a journal");
    let seed: u64 = options.get("seed").expect("a seed");
    let allocator = performer.allocator()?.clone();
    let mut random = Random::new(seed);
    // What is kept lives on, so it has a holder that is never killed.
    let mut kept_journal = Journal::open(path.as_ref(), format!("kept-{seed}"));
    let mut journal = Journal::open(path.as_ref(), std::process::id());
    let mut leases: Vec<Lease> = Vec::new();
    let mut held: Vec<Environment> = Vec::new();
    let mut kept: Vec<Environment> = Vec::new();
    println!("{}", json!({"ok": "ready"}));
    loop {
        let count = 1 + random.below(5);
        let request = EnvironmentRequest::new().ports(count).instance_id(seed.to_string()).env_file(EnvFile::Worktree);
        let done = match random.below(36) {
            0..=8 => allocator.lease(LeaseRequest::run(count)).map(|lease| {
                journal.took(lease.ports());
                leases.push(lease);
            }),
            9..=14 if !leases.is_empty() => {
                let lease = leases.swap_remove(random.below(leases.len()));
                journal.gave(lease.ports());
                drop(lease);
                Ok(())
            }
            15..=17 => allocator.create_environment(&request).map(|environment| {
                journal.took(environment.ports());
                held.push(environment);
            }),
            18..=20 if !held.is_empty() => {
                let environment = held.swap_remove(random.below(held.len()));
                journal.gave(environment.ports());
                environment.cleanup()
            }
            // Its owner's end makes it stale, so for the judge it is held.
            21..=23 => allocator.create_environment(&request.kept().owner_pid(std::process::id())).map(|environment| {
                journal.took(environment.ports());
                held.push(environment);
            }),
            24..=27 => allocator.create_environment(&request.kept()).map(|environment| {
                kept_journal.took(environment.ports());
                kept.push(environment);
            }),
            28..=31 if !kept.is_empty() => {
                let environment = kept.swap_remove(random.below(kept.len()));
                kept_journal.gave(environment.ports());
                environment.cleanup()
            }
            32 | 33 => allocator.cleanup(&Cleanup::new(Selection::Stale)).map(drop),
            34 => allocator.reconcile().and_then(|_| allocator.list()).map(drop),
            _ => Ok(()),
        };
        match done {
            Ok(()) => {}
            Err(error) if error.code() == ErrorCode::PoolExhausted => {
                // Room for the others.
                leases.drain(..).for_each(|lease| journal.gave(lease.ports()));
                for environment in kept.drain(..) {
                    kept_journal.gave(environment.ports());
                    environment.cleanup()?;
                }
            }
            Err(error) => return Err(error),
        }
    }
}
