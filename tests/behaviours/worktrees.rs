//! The operations of the cases that are about the environment of a worktree. Knows no file of cases.

use std::env;
use std::ops::Deref;

use portalloc::worktree::StopOptions;
use portalloc::{Environment, EnvironmentRequest, Result, ffi};
use serde_json::{Value, json};

use super::{Arguments, described, write};

/// An environment of a case, which ends with it.
struct Made(Environment);

impl Deref for Made {
    type Target = Environment;

    fn deref(&self) -> &Environment {
        &self.0
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.0.cleanup().unwrap();
    }
}

impl Arguments<'_> {
    /// Goes where the first call is made. Gives its request.
    fn first(&self) -> EnvironmentRequest {
        self.go(&self.text("from").unwrap_or_default());
        self.text("worktree").into_iter().fold(self.request(), EnvironmentRequest::worktree)
    }

    /// The same of the second one.
    fn second(&self) -> EnvironmentRequest {
        self.go("");
        self.text("instance_id_again").into_iter().fold(self.request(), EnvironmentRequest::instance_id)
    }

    /// The cases are performed one after the other, in a process of their own.
    fn go(&self, below: &str) {
        env::set_current_dir(self.world.work().join(below)).unwrap();
    }

    fn obtain(&self, request: EnvironmentRequest) -> Result<Made> {
        self.settings().worktree_environment(request).map(Made)
    }

    fn found(&self, request: EnvironmentRequest) -> Result<Option<Environment>> {
        self.settings().find_worktree_environment(request)
    }
}

pub(super) fn environment(arguments: &Arguments<'_>) -> Result<Value> {
    let _leased = arguments.leased();
    let first = arguments.obtain(arguments.first())?;
    let second = arguments.obtain(arguments.second())?;
    let answer = described(arguments, &first);
    let found = arguments.found(arguments.first())?;
    let is_same = first.id() == second.id();
    let is_first_removed = first.down(&StopOptions::new())?.removed;
    let more = json!({
        "same": is_same,
        "found": found.is_some_and(|found| found.id() == first.id()),
        "removed": is_first_removed && (is_same || second.down(&StopOptions::new())?.removed),
        "found_after": arguments.found(arguments.first())?.is_some(),
    });
    Ok(both(answer, more))
}

pub(super) fn find(arguments: &Arguments<'_>) -> Result<Value> {
    let found = arguments.found(arguments.first())?.ok_or_else(ffi::no_worktree_environment)?;
    Ok(described(arguments, &found))
}

pub(super) fn repair(arguments: &Arguments<'_>) -> Result<Value> {
    let _leased = arguments.leased();
    let before = arguments.obtain(arguments.first())?;
    write(&arguments.values["project_after"], &arguments.world.work());
    let (allocator, request) = arguments.settings().open_for(arguments.first())?;
    let after = Made(allocator.repair_worktree_environment(&request)?);
    Ok(both(described(arguments, &after), json!({"same": before.id() == after.id()})))
}

pub(super) fn stop(arguments: &Arguments<'_>) -> Result<Value> {
    let made = arguments.obtain(arguments.first())?;
    let report = made.stop(&StopOptions::new().dry_run(true))?;
    Ok(json!({"processes": report.processes.len(), "foreign": report.foreign.len(), "removed": report.removed}))
}

/// The members of both.
fn both(one: Value, other: Value) -> Value {
    let members = [one, other].into_iter().filter_map(|value| value.as_object().cloned());
    Value::Object(members.flatten().collect())
}
