//! Leases in masses: a crowd of all languages and several users, in pools from wide to a single port, and a witness.

pub(crate) mod command_line;
pub(crate) mod contender;
mod journal;
mod phase;
mod place;
mod report;
mod witness;
mod workers;

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;

use portalloc::pool::{KernelPorts, Pool};

use self::journal::{Journal, Progress};
use self::phase::{Outcome, Phase, Who};
use self::place::Place;
use self::report::Report;
use self::witness::Witness;
use self::workers::Task;
use crate::args::{self, Language, Way};
use crate::fault::{Fallible, Fault};
use crate::{machine, print, say, user};

/// Every how many leases the ports are really bound.
const BOUND: u64 = 64;

/// The parts of a run, and how many of a hundred leases each has.
const PHASES: [(&str, Width, u64); 4] = [
    ("wide", Width::Whole, 80),
    ("narrow", Width::ForAll, 15),
    ("squeezed", Width::ForHalf, 4),
    ("single port", Width::One, 1),
];

/// How many ports there are.
#[derive(Clone, Copy)]
enum Width {
    Whole,
    /// Just enough for what everybody wants to hold at once.
    ForAll,
    ForHalf,
    One,
}

impl Width {
    /// What contenders are told: COUNT and MOST.
    fn limits(self) -> (usize, usize) {
        match self {
            Self::Whole | Self::ForAll => (0, 3),
            Self::ForHalf => (0, 2),
            Self::One => (1, 1),
        }
    }

    /// Of ports, for so many processes. A lease has four and a half on average.
    fn ports(self, processes: usize) -> Option<usize> {
        let wanted = processes * self.limits().1 * 9 / 2;
        match self {
            Self::Whole => None,
            Self::ForAll => Some(wanted),
            Self::ForHalf => Some((wanted / 2).max(16)),
            Self::One => Some(1),
        }
    }
}

/// What is known at the end, however it ended.
struct Seen {
    phases: Vec<(&'static str, Outcome, usize)>,
    witness: Witness,
    fault: Option<Fault>,
}

/// Leases of all languages and users, without one overlap.
pub(crate) fn prove(options: &args::Leases) -> Fallible<ExitCode> {
    let crowd = crowd(options);
    let place = Place::new()?;
    let mut plan = Vec::new();
    for (name, width, percent) in PHASES {
        let pool = narrowed(&options.pool, width.ports(crowd.len()))?;
        plan.push((name, pool, width, Way::Lease, options.total * percent / 100));
    }
    let seen = run(&place, &crowd, &plan)?;
    let report = Report::new(&seen, &crowd);
    print(&report.text())?;
    if let Some(path) = &options.json {
        machine::write(path, report.json())?;
    }
    if let Some(fault) = report.fault(&seen) {
        let kept = std::env::temp_dir().join(format!("portalloc-crowd-evidence-{}", std::process::id()));
        std::fs::write(&kept, seen.witness.evidence())?;
        print(&format!("FAILED: {fault}"))?;
        print(&format!("the last notes: {}; the registry: {}", kept.display(), place.keep().display()))?;
        return Ok(ExitCode::FAILURE);
    }
    print(&report.closing())?;
    Ok(ExitCode::SUCCESS)
}

/// The same crowd without leases: the witness must see overlaps.
pub(crate) fn control(options: &args::Control) -> Fallible<ExitCode> {
    let crowd: Vec<Who> = vec![(Language::Rust, user::own()); 16];
    let mut blind = false;
    for (name, way) in [("bind to port 0", Way::BindZero), ("probe", Way::Probe)] {
        let place = Place::new()?;
        let plan = [(name, "20000-29999".to_owned(), Width::Whole, way, options.total)];
        let seen = run(&place, &crowd, &plan)?;
        if let Some(fault) = seen.fault {
            return Err(fault);
        }
        let (overlaps, heard) = (seen.witness.overlap_count(), seen.witness.heard());
        blind |= overlaps == 0;
        print(&format!("{name}, and hope: the witness saw {overlaps} overlaps in {heard} notes"))?;
    }
    print(if blind { "FAILED: the witness is blind" } else { "the witness sees: ok" })?;
    Ok(if blind { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

type Plan = (&'static str, String, Width, Way, u64);

fn run(place: &Place, crowd: &[Who], plan: &[Plan]) -> Fallible<Seen> {
    let mut journal = Journal::new(place.file("journal"))?;
    let path = journal.path().to_owned();
    let mut witness = Witness::new();
    let mut phases = Vec::new();
    let mut fault = None;
    for (name, pool, width, way, total) in plan {
        let progress = Progress::default();
        let (count, most) = width.limits();
        let every = if matches!(way, Way::Lease) { BOUND } else { 0 };
        let task = Task { journal: &path, pool: pool.clone(), times: 1, count, most, every };
        let phase = Phase { name, way: *way, total: *total, crowd, task };
        let (outcome, told) = thread::scope(|scope| {
            let teller = scope.spawn(|| journal.tell(&mut witness, &progress));
            let outcome = phase.run(place, user::own(), &progress);
            progress.over.store(true, Ordering::Release);
            (outcome, teller.join())
        });
        let outcome = outcome?;
        fault = outcome.fault.as_ref().map(|fault| fault.to_string().into());
        fault = fault.or(told.unwrap_or_else(|_| Err("the witness has ended".into())).err());
        let failed = fault.is_some() || (!witness.overlaps().is_empty() && matches!(way, Way::Lease));
        phases.push((*name, outcome, witness.take_most_held()));
        if failed {
            break;
        }
    }
    Ok(Seen { phases, witness, fault })
}

/// So many processes of each language and user; of the command line one of each user, since it starts others.
fn crowd(options: &args::Leases) -> Vec<Who> {
    let own = user::own();
    let mut users = options.users.clone();
    if !user::can_change() && users.iter().any(|user| *user != own) {
        say("NOTE: only root can become other users, so all processes have one user ID");
        users = vec![own];
    }
    let who = |language: Language| {
        let processes = if language == Language::Cli { 1 } else { options.processes };
        users.iter().flat_map(move |user| std::iter::repeat_n((language, *user), processes)).collect::<Vec<_>>()
    };
    options.languages.iter().flat_map(|language| who(*language)).collect()
}

/// The first `ports` of a pool.
fn narrowed(pool: &str, ports: Option<usize>) -> Fallible<String> {
    let Some(ports) = ports else { return Ok(pool.to_owned()) };
    let whole = Pool::new(Some(pool), Some(""), &KernelPorts::default())?;
    let some = whole.ports().ports().take(ports).map(|port| port.to_string());
    Ok(some.collect::<Vec<_>>().join(","))
}
