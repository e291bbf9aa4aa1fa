//! One phase of a run: how wide the pool is, and a crowd that takes leases from it until there were enough.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, poll};
use rustix::process::{Signal, pidfd_send_signal};

use super::journal::Progress;
use super::place::Place;
use super::workers::{Task, Worker};
use crate::args::{Language, Way};
use crate::fault::{Fallible, Fault};
use crate::say;

/// No note from anybody for so long: nobody gets a lease any more.
const STALLED: Duration = Duration::from_secs(90);
/// Of a hundred leases, those that are each language's own, however slow it is; the command line has none.
const RESERVED: u64 = 6;
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Whose contender, and under which user ID.
pub(super) type Who = (Language, u32);

/// What a crowd is to do.
pub(super) struct Phase<'a> {
    pub(super) name: &'static str,
    pub(super) way: Way,
    pub(super) total: u64,
    pub(super) crowd: &'a [Who],
    pub(super) task: Task<'a>,
}

/// How one contender fared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Score {
    pub(super) served: u64,
    pub(super) refused: u64,
}

pub(super) struct Outcome {
    pub(super) time: Duration,
    /// With the process IDs, by which the witness knows them.
    pub(super) scores: BTreeMap<u32, (Who, Score)>,
    pub(super) fault: Option<Fault>,
}

/// The batch of a process that starts others, for each lease of which another makes hundreds.
fn batch(phase: &Phase<'_>, language: Language) -> u64 {
    let fair = phase.total / (u64::try_from(phase.crowd.len()).unwrap_or(1) * 4).max(1);
    if language == Language::Cli { 1 } else { fair.clamp(1, 500) }
}

impl Phase<'_> {
    pub(super) fn run(&self, place: &Place, own_user: u32, progress: &Progress) -> Fallible<Outcome> {
        let mut workers = Vec::new();
        for who @ (language, user) in self.crowd.iter().copied() {
            let times = batch(self, language);
            let task = Task { times, ..self.task.clone() };
            let other = Some(user).filter(|user| *user != own_user);
            workers.push((Worker::start(place, self.way, language, other, &task)?, who, times));
        }
        let reserve = self.total * RESERVED / 100;
        let languages = self.crowd.iter().map(|(language, _)| *language).filter(|language| *language != Language::Cli);
        let reserved: BTreeMap<_, _> = languages.map(|language| (language, AtomicU64::new(reserve))).collect();
        let crowd = Crowd {
            leases: matches!(self.way, Way::Lease | Way::Run),
            left: AtomicU64::new(self.total.saturating_sub(reserve * u64::try_from(reserved.len())?)),
            reserved,
            stop: AtomicBool::new(false),
            done: AtomicU64::new(0),
            scores: Mutex::default(),
            fault: Mutex::default(),
        };
        let start = Instant::now();
        let processes = workers.iter().map(|(worker, ..)| worker.process()).collect::<Fallible<Vec<_>>>()?;
        thread::scope(|scope| {
            let threads: Vec<_> = workers
                .into_iter()
                .map(|(worker, who, times)| {
                    let crowd = &crowd;
                    scope.spawn(move || crowd.drive(worker, who, times, progress))
                })
                .collect();
            self.watch(&crowd, progress, || threads.iter().all(|thread| thread.is_finished()), &processes);
        });
        let scores = crowd.scores.into_inner().unwrap_or_else(PoisonError::into_inner);
        let fault = crowd.fault.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Outcome { time: start.elapsed(), scores, fault })
    }

    /// Says how it is going, and ends everybody when nobody gets on.
    fn watch(&self, crowd: &Crowd, progress: &Progress, over: impl Fn() -> bool, processes: &[OwnedFd]) {
        let start = Instant::now();
        let (mut told, mut heard, mut moved) = (start, 0, start);
        while !over() {
            let _ = poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 20_000_000 }));
            let now = Instant::now();
            let hears = progress.heard.load(Ordering::Relaxed);
            if hears != heard {
                (heard, moved) = (hears, now);
            }
            if now - told >= TOLD_EVERY {
                told = now;
                let done = crowd.done.load(Ordering::Relaxed);
                let rate = done as f64 / start.elapsed().as_secs_f64();
                say(&format!("{}: {done} of {} leases, {rate:.0} a second", self.name, self.total));
            }
            if now - moved > STALLED {
                crowd.blame(format!("{}: nobody got a lease for {STALLED:?}", self.name).into());
                // Their threads wait for an answer.
                for process in processes {
                    let _ = pidfd_send_signal(process, Signal::KILL);
                }
                moved = now;
            }
        }
    }
}

/// What the threads that drive the contenders share.
struct Crowd {
    /// Not so, an overlap is no reason to stop.
    leases: bool,
    /// What is left for everybody, and for each language alone.
    left: AtomicU64,
    reserved: BTreeMap<Language, AtomicU64>,
    stop: AtomicBool,
    done: AtomicU64,
    scores: Mutex<BTreeMap<u32, (Who, Score)>>,
    fault: Mutex<Option<Fault>>,
}

impl Crowd {
    /// Asks one contender again and again, until there were enough leases of everybody together.
    fn drive(&self, mut worker: Worker, who: Who, times: u64, progress: &Progress) {
        let mut score = Score::default();
        let id = worker.id();
        while !self.stop.load(Ordering::Relaxed) && self.claim(who, times) {
            match worker.again() {
                Ok((served, refused)) => {
                    score.served += served;
                    score.refused += refused;
                    self.done.fetch_add(served, Ordering::Relaxed);
                }
                Err(fault) => self.blame(fault),
            }
            if self.leases && progress.overlap.load(Ordering::Relaxed) {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        if let Err(fault) = worker.finish() {
            self.blame(fault);
        }
        self.scores.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (who, score));
    }

    /// Its language's own first, so that the slow ones need not finish alone.
    fn claim(&self, (language, _): Who, times: u64) -> bool {
        let less = |left: u64| (left > 0).then(|| left.saturating_sub(times));
        self.reserved
            .get(&language)
            .into_iter()
            .chain([&self.left])
            .any(|left| left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok())
    }

    /// The first fault is told; all the others follow from it.
    fn blame(&self, fault: Fault) {
        self.stop.store(true, Ordering::Relaxed);
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
    }
}
