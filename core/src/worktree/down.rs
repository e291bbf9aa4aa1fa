//! Ends an environment: its servers, then the environment itself. Refuses while a command runs in it that is no server,
//! before it has ended anything.

use std::time::Duration;

use super::facts::{Sight, holds_port};
use super::ours::Verdict;
use super::stop::{StopOptions, cancelled, remaining, wait_ended};
use super::stop_report::StopReport;
use crate::backoff::{Backoff, Deadline};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::sys::ProcessHandle;

/// The longest pause between two looks for processes that still have a hold.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A process that has a hold on the environment.
struct Holder {
    pid: u32,
    /// As in "PID 7 (bash) in /home/me/project".
    told: String,
}

impl Environment {
    /// [Stops](Self::stop) this environment's servers, waits until no process has a [hold](Self::hold) on it any more, and
    /// [removes](Self::cleanup) it. Leaves it if anything is left on its ports: the report says what.
    ///
    /// # Errors
    /// `in_use`, before anything is ended, while a command has a hold that is neither a server of the environment nor
    /// above or below one; also if a hold has not ended within the timeout. As [`stop`](Self::stop) and
    /// [`cleanup`](Self::cleanup).
    pub fn down(&self, options: &StopOptions) -> Result<StopReport> {
        self.down_unless(options, &|| false)
    }

    /// As [`down`](Self::down), until `is_cancelled`.
    pub(crate) fn down_unless(&self, options: &StopOptions, is_cancelled: &dyn Fn() -> bool) -> Result<StopReport> {
        let sight = Sight::of(self);
        let bystanders = self.bystanders(&sight)?;
        if !bystanders.is_empty() {
            return Err(in_use(self, "is in use by a command that is no server of it", &bystanders));
        }
        let options = options.clone().all_ports();
        let mut report = self.stop_unless(&options, is_cancelled)?;
        if options.is_dry_run() || !report.is_clear() {
            return Ok(report);
        }
        let mut backoff = Backoff::growing(Deadline::new(options.time()), LONGEST_PAUSE);
        loop {
            let left = holders(&sight);
            if left.is_empty() {
                break;
            }
            let Some(pause) = backoff.next() else {
                return Err(in_use(self, "is still in use, although its servers have ended", &left));
            };
            if is_cancelled() {
                return Err(cancelled(self.id(), &remaining(left.into_iter().map(|holder| holder.told))));
            }
            let handles = left.iter().map(|holder| ProcessHandle::open(holder.pid));
            let handles: Vec<ProcessHandle> = handles.filter_map(|handle| handle.ok().flatten()).collect();
            wait_ended(&handles.iter().collect::<Vec<_>>(), pause)?;
        }
        self.cleanup()?;
        report.removed = true;
        Ok(report)
    }

    /// The processes with a hold that are neither a server of this environment, nor above nor below one.
    fn bystanders(&self, sight: &Sight) -> Result<Vec<Holder>> {
        let mut scene = sight.look(&self.ports().iter().copied().collect(), holds_port)?;
        let is_server = |pid: &u32| matches!(scene.people.judge(*pid, &sight.whose), Verdict::Ours(_));
        let servers: Vec<u32> = scene.seats.keys().copied().filter(is_server).collect();
        let people = &mut scene.people;
        let mut found = Vec::new();
        for pid in sight.holders() {
            // One that has ended meanwhile has no hold.
            if sight.add(people, pid).is_none() {
                continue;
            }
            let above = |one: u32, other: u32| people.ancestors(one).any(|person| person.facts.pid == other);
            if !servers.iter().any(|server| *server == pid || above(*server, pid) || above(pid, *server)) {
                found.push(pid);
            }
        }
        Ok(found.into_iter().map(|pid| Holder { pid, told: people.told(pid) }).collect())
    }
}

/// The processes with a hold.
fn holders(sight: &Sight) -> Vec<Holder> {
    let mut people = sight.people();
    let pids = sight.holders().into_iter();
    let there: Vec<u32> = pids.filter(|pid| sight.add(&mut people, *pid).is_some()).collect();
    there.into_iter().map(|pid| Holder { pid, told: people.told(pid) }).collect()
}

fn in_use(environment: &Environment, how: &str, holders: &[Holder]) -> Error {
    let told: Vec<&str> = holders.iter().map(|holder| holder.told.as_str()).collect();
    Error::new(
        ErrorCode::InUse,
        format!("the environment {} {how}: {}", environment.id(), told.join(", ")),
        "end that first, or leave that shell",
    )
}
