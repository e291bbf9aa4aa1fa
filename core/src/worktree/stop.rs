//! Ends an environment's servers, and nothing else: looks, opens a handle for each process that is ours, looks again,
//! and only then sends a signal. Does not say whose a process is: `ours` does.

use std::collections::{BTreeSet, HashSet};
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use super::facts::{Scene, Sight, holds_port, sockets};
use super::ours::{OursReason, People, Person, Verdict};
use super::stop_report::{ForeignProcess, Outcome, StopReport, StoppedProcess, Supervisor, UnknownHolder};
use crate::backoff::{Backoff, Deadline};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::registry::Lifetime;
use crate::sys::{self, ProcessHandle};

/// How long a process may take to end when it is asked to, unless the caller says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the kernel may take to end a process that was killed, for instance because it waits for a disk.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// How long a supervisor may take to start a server again.
const RESTART: Duration = Duration::from_secs(2);

/// The longest pause between two looks for a server that was started again.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The longest time that passes before a caller who gave up is noticed.
const SLICE: Duration = Duration::from_millis(100);

/// How often supervisors are looked for: one may have another one above it.
const ROUNDS: usize = 8;

/// How to end an environment's servers.
///
/// [`StopReport`] has an example.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct StopOptions {
    ports: Option<Vec<u16>>,
    dry_run: bool,
    timeout: Option<Duration>,
}

impl StopOptions {
    /// Ends the servers on every port; each has ten seconds to end by itself.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends only servers on these ports of the environment.
    pub fn ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = Some(ports.into_iter().collect());
        self
    }

    pub(crate) fn all_ports(mut self) -> Self {
        self.ports = None;
        self
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    pub(crate) fn time(&self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }

    /// Sends no signal, and reports what would be ended.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// How long a process may take to end when it is asked to (SIGTERM), before it is killed (SIGKILL).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl Environment {
    /// Ends what is this environment's on its ports, and nothing else: processes with a listening or bound socket, TCP or
    /// UDP, that have a [hold](OursReason::Hold) on the environment, carry its `ISOLATION_ID`, descend from such a
    /// process, or run as this user in its worktree or temp directory without another `ISOLATION_ID`. Never this process
    /// or one that it descends from, and never one that leads the session of a terminal.
    ///
    /// Each is asked to end (SIGTERM), and killed after the timeout. If a server that was ended is started again within
    /// two seconds, its supervisor is ended, too, if it is the environment's.
    ///
    /// What is left on the ports is in the report, and no error.
    ///
    /// # Errors
    /// `invalid_argument` for a port that is not the environment's, `unsupported` before Linux 5.3, `io`.
    pub fn stop(&self, options: &StopOptions) -> Result<StopReport> {
        self.stop_unless(options, &|| false)
    }

    /// As [`stop`](Self::stop), until `is_cancelled`.
    pub(crate) fn stop_unless(&self, options: &StopOptions, is_cancelled: &dyn Fn() -> bool) -> Result<StopReport> {
        let ports = ports(self, options.ports.as_deref())?;
        self.registry().check_netns()?;
        let holder = self.record().holder.pid;
        let spares_holder = self.record().lifetime == Lifetime::Held;
        let maker = spares_holder.then_some(holder);
        let stop = Stop { sight: Sight::of(self), ports, timeout: options.time(), maker, is_cancelled };
        stop.run(options.dry_run)
    }
}

/// The ports asked for, which must be the environment's; without any, all of them.
pub(super) fn ports(environment: &Environment, asked: Option<&[u16]>) -> Result<BTreeSet<u16>> {
    let all: BTreeSet<u16> = environment.ports().iter().copied().collect();
    let Some(asked) = asked else { return Ok(all) };
    match asked.iter().find(|port| !all.contains(port)) {
        None => Ok(asked.iter().copied().collect()),
        Some(other) => {
            let own: Vec<String> = environment.ports().iter().map(ToString::to_string).collect();
            Err(Error::invalid_argument(
                format!("port {other} is not one of the environment {}", environment.id()),
                format!("name one of its ports: {}", own.join(", ")),
            ))
        }
    }
}

struct Stop<'a> {
    sight: Sight,
    ports: BTreeSet<u16>,
    timeout: Duration,
    /// The process that holds the environment, which would end with it.
    maker: Option<u32>,
    is_cancelled: &'a dyn Fn() -> bool,
}

/// A process to end.
struct Target {
    start_time: u64,
    handle: Option<ProcessHandle>,
    told: StoppedProcess,
}

impl Stop<'_> {
    fn run(&self, dry_run: bool) -> Result<StopReport> {
        let mut report = StopReport::new(self.sight.whose.id);
        let mut scene = self.look()?;
        if dry_run {
            report.processes.extend(self.servers(&scene).into_iter().map(|target| target.told));
            self.tell_what_is_left(&scene, &mut report);
            return Ok(report);
        }
        let mut targets = self.servers(&scene);
        let mut ended = HashSet::new();
        for round in 0.. {
            if targets.is_empty() {
                break;
            }
            let parents = self.end(&scene, &mut targets)?;
            let before = targets.iter().map(|target| target.start_time).max().unwrap_or_default();
            ended.extend(targets.iter().map(|target| (target.told.pid, target.start_time)));
            report.processes.extend(targets.into_iter().map(|target| target.told));
            let again = self.started_again(&parents, &ended)?;
            let Some(found) = again else { break };
            scene = found;
            (targets, report.supervisors) = self.supervised(&scene, before, round >= ROUNDS);
        }
        let last = self.look()?;
        self.tell_what_is_left(&last, &mut report);
        Ok(report)
    }

    fn look(&self) -> Result<Scene> {
        self.sight.look(&self.ports, holds_port)
    }

    /// Why the process is ours and may be ended; `None` if it is not, or may not.
    fn reason(&self, people: &People, pid: u32) -> Option<OursReason> {
        if self.maker == Some(pid) || people.spared(pid).is_some() {
            return None;
        }
        match people.judge(pid, &self.sight.whose) {
            Verdict::Ours(reason) => Some(reason),
            Verdict::NotOurs(_) | Verdict::Unknown(_) => None,
        }
    }

    fn target(&self, people: &People, person: &Person, ports: &BTreeSet<u16>, supervisor: bool) -> Option<Target> {
        let reason = self.reason(people, person.facts.pid)?;
        let told = StoppedProcess::new(person, ports.iter().copied().collect(), reason, supervisor);
        Some(Target { start_time: person.facts.start_time, handle: None, told })
    }

    /// The processes on the ports that are to be ended.
    fn servers(&self, scene: &Scene) -> Vec<Target> {
        let seats = scene.seats.values();
        seats
            .filter_map(|seat| {
                let person = scene.people.by_pid.get(&seat.pid)?;
                self.target(&scene.people, person, &seat.ports, false)
            })
            .collect()
    }

    /// Ends the targets. Returns handles of what could start them again: the processes above them, except those above
    /// the caller.
    fn end(&self, seen: &Scene, targets: &mut [Target]) -> Result<Vec<ProcessHandle>> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::Unsupported => Error::new(
                ErrorCode::Unsupported,
                "this kernel or sandbox cannot open a process, so a signal could reach another one",
                "use Linux 5.3 or newer, and let a sandbox allow the system call pidfd_open",
            ),
            _ => Error::os("cannot open a process to end it", error),
        };
        for target in &mut *targets {
            target.handle = ProcessHandle::open(target.told.pid).map_err(failed)?;
        }
        let doomed: HashSet<u32> = targets.iter().map(|target| target.told.pid).collect();
        let above = targets.iter().flat_map(|target| seen.people.ancestors(target.told.pid));
        let above: BTreeSet<u32> = above.map(|person| person.facts.pid).collect();
        let above = above
            .into_iter()
            .filter(|pid| !doomed.contains(pid) && *pid != seen.people.caller && !seen.people.is_above_caller(*pid));
        let mut parents = Vec::new();
        for parent in above {
            parents.extend(ProcessHandle::open(parent).map_err(failed)?);
        }
        // Only now, with the handles open, is it certain that a signal reaches what is seen.
        let now = self.look()?;
        for target in &mut *targets {
            if !self.is_still(seen, &now, target) {
                target.handle = None;
                target.told.outcome = Outcome::Gone;
            }
        }
        // A supervisor comes first, so that it starts nothing again.
        targets.sort_by_key(|target| !target.told.supervisor);
        self.signal(targets)?;
        Ok(parents)
    }

    /// Whether the target is still the process that was judged, and still ours.
    fn is_still(&self, seen: &Scene, now: &Scene, target: &Target) -> bool {
        let pid = target.told.pid;
        let person = now.people.by_pid.get(&pid);
        let is_same = match seen.seats.get(&pid) {
            Some(seat) => seat.is_still(now.seats.get(&pid)),
            None => person.is_some_and(|person| person.facts.start_time == target.start_time),
        };
        is_same && self.reason(&now.people, pid).is_some()
    }

    /// Asks the targets to end, waits, and kills those that have not ended in time.
    fn signal(&self, targets: &mut [Target]) -> Result<()> {
        let failed = |error| Error::os("cannot send a signal", error);
        for target in &mut *targets {
            let Some(handle) = &target.handle else { continue };
            target.told.outcome = match handle.terminate() {
                Ok(true) => Outcome::Ended,
                Ok(false) => Outcome::Gone,
                // It has become another user since it was started.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    target.handle = None;
                    Outcome::Remains
                }
                Err(error) => return Err(failed(error)),
            };
        }
        self.wait_for_all(targets, self.timeout)?;
        let mut was_killed = false;
        for target in &mut *targets {
            let Some(handle) = target.handle.as_ref().filter(|handle| !handle.has_ended()) else { continue };
            match handle.kill() {
                Ok(true) => {
                    target.told.outcome = Outcome::Killed;
                    was_killed = true;
                }
                // It has ended just now; or it is another user's by now, and is told as what remains.
                Ok(false) => {}
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                Err(error) => return Err(failed(error)),
            }
        }
        if was_killed {
            self.wait_for_all(targets, KILL_PATIENCE)?;
        }
        for target in targets {
            if target.handle.as_ref().is_some_and(|handle| !handle.has_ended()) {
                target.told.outcome = Outcome::Remains;
            }
        }
        Ok(())
    }

    /// Waits until servers of ours are on the ports again. `None` if there are none after two seconds, or once nobody is
    /// left who could start them.
    fn started_again(&self, parents: &[ProcessHandle], ended: &HashSet<(u32, u64)>) -> Result<Option<Scene>> {
        let mut backoff = Backoff::growing(Deadline::new(RESTART), LONGEST_PAUSE);
        loop {
            let left: Vec<&ProcessHandle> = parents.iter().filter(|parent| !parent.has_ended()).collect();
            let pause = backoff.next().filter(|_| !left.is_empty());
            if !sockets(&self.ports, holds_port)?.is_empty() {
                let scene = self.look()?;
                let is_new = |target: &Target| !ended.contains(&(target.told.pid, target.start_time));
                if self.servers(&scene).iter().any(is_new) {
                    return Ok(Some(scene));
                }
            }
            let Some(pause) = pause else { return Ok(None) };
            if (self.is_cancelled)() {
                return Err(cancelled(self.sight.whose.id, "whether a server is started again was still to be seen"));
            }
            // The end of one of several is no reason to look sooner.
            let paused = Instant::now();
            while paused.elapsed() < pause {
                let left: Vec<&ProcessHandle> = left.iter().copied().filter(|parent| !parent.has_ended()).collect();
                if left.is_empty() {
                    break;
                }
                wait_ended(&left, pause.saturating_sub(paused.elapsed()))?;
            }
        }
    }

    /// What to end of servers that were started again: their supervisors, and the servers themselves. Those whose
    /// supervisor must be left alone stay, and the supervisors are named.
    fn supervised(&self, scene: &Scene, before: u64, is_enough: bool) -> (Vec<Target>, Vec<Supervisor>) {
        let (mut targets, mut left): (Vec<Target>, Vec<Supervisor>) = (Vec::new(), Vec::new());
        for server in self.servers(scene) {
            let people = &scene.people;
            let ports: BTreeSet<u16> = server.told.ports.iter().copied().collect();
            let Some(supervisor) = people.supervisor(server.told.pid, before) else {
                // It was there before, but did not have the port.
                targets.push(server);
                continue;
            };
            let pid = supervisor.facts.pid;
            match self.target(people, supervisor, &ports, true).filter(|_| !is_enough) {
                Some(target) => {
                    if !targets.iter().any(|other| other.told.pid == pid) {
                        targets.push(target);
                    }
                    targets.push(server);
                }
                None => match left.iter_mut().find(|other| other.pid == pid) {
                    Some(other) => other.ports.extend(ports),
                    None => left.push(Supervisor::new(supervisor, server.told.ports)),
                },
            }
        }
        // A server may also be what started another one.
        let mut seen = HashSet::new();
        targets.retain(|target| !is_enough && seen.insert(target.told.pid));
        (targets, left)
    }

    fn tell_what_is_left(&self, scene: &Scene, report: &mut StopReport) {
        for seat in scene.seats.values().filter(|seat| self.maker != Some(seat.pid)) {
            let Some(person) = scene.people.by_pid.get(&seat.pid) else { continue };
            let why = match (scene.people.judge(seat.pid, &self.sight.whose), scene.people.spared(seat.pid)) {
                (Verdict::NotOurs(why) | Verdict::Unknown(why), _) => why,
                (Verdict::Ours(_), Some(spared)) => spared.to_string(),
                (Verdict::Ours(_), None) => continue,
            };
            report.foreign.push(ForeignProcess::new(person, seat.ports.iter().copied().collect(), why));
        }
        let mut unknown: Vec<UnknownHolder> = Vec::new();
        for socket in &scene.hidden {
            let holder = UnknownHolder { port: socket.port, user_id: socket.user, why: socket.why.clone() };
            if !unknown.contains(&holder) {
                unknown.push(holder);
            }
        }
        report.unknown = unknown;
    }
    /// Waits until all targets have ended, or for `limit`.
    fn wait_for_all(&self, targets: &[Target], limit: Duration) -> Result<()> {
        let deadline = Deadline::new(limit);
        loop {
            let runs = |target: &&Target| target.handle.as_ref().is_some_and(|handle| !handle.has_ended());
            let left: Vec<&Target> = targets.iter().filter(runs).collect();
            let time = deadline.left();
            if left.is_empty() || time.is_zero() {
                return Ok(());
            }
            if (self.is_cancelled)() {
                let told = left.iter().map(|target| format!("PID {} ({})", target.told.pid, target.told.name));
                return Err(cancelled(self.sight.whose.id, &remaining(told)));
            }
            let handles: Vec<&ProcessHandle> = left.iter().filter_map(|target| target.handle.as_ref()).collect();
            wait_ended(&handles, time)?;
        }
    }
}

/// Waits until one of the processes has ended, for at most `limit`, and not so long that a caller who gave up goes unnoticed.
pub(super) fn wait_ended(processes: &[&ProcessHandle], limit: Duration) -> Result<()> {
    sys::wait_ended(processes, limit.min(SLICE)).map_err(|error| Error::os("cannot wait for processes", error))
}

/// What was left when a caller gave up: processes that had still to end.
pub(super) fn remaining(processes: impl IntoIterator<Item = String>) -> String {
    let left: Vec<String> = processes.into_iter().collect();
    format!("{} left", left.join(", "))
}

/// The error of a caller who gave up.
pub(super) fn cancelled(id: IsolationId, left: &str) -> Error {
    Error::new(
        ErrorCode::Timeout,
        format!("the wait for the end of the environment {id}'s processes was cancelled: {left}"),
        "try again: it ends what is left then",
    )
}
