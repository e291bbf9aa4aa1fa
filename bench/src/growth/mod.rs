//! `portalloc-bench growth [PART...] [--json FILE] [--quick]`: what work costs as there is more of everything, each figure beside
//! its floor, or beside the same with nothing there, in the same run. What the figures mean is said by the page that is
//! drawn from them (bench/page), not here.

mod contend;
mod environments;
mod fill;
mod holders;
mod leases;
mod processes;
mod report;

use std::path::Path;
use std::process::Command;

use crate::Scratch;
use report::Report;

const NAME: &str = "growth";
/// What this program is when it starts itself: the one that measures, or one of those beside it.
const MEASURE: &str = "measure";
const HOLD: &str = "hold";
const CONTEND: &str = "contend";

type Part = (&'static str, fn(&mut Report));

const PARTS: [Part; 4] = [
    (leases::PART, leases::run),
    (environments::PART, environments::run),
    (fill::PART, fill::run),
    (processes::PART, processes::run),
];

/// The words after `growth`, if this is such a call.
pub(crate) fn asked() -> Option<Vec<String>> {
    let mut words = std::env::args().skip(1);
    (words.next()? == NAME).then(|| words.collect())
}

pub(crate) fn run(words: &[String]) {
    let (role, rest) = words.split_first().map_or(("", words), |(role, rest)| (role.as_str(), rest));
    match role {
        HOLD => holders::hold(),
        CONTEND => contend::contend(rest),
        MEASURE => measure(rest),
        _ => in_a_directory_of_its_own(words),
    }
}

/// Temp dirs go where the registry is, below one directory that is gone at the end, whatever becomes of the measurement.
fn in_a_directory_of_its_own(words: &[String]) {
    let scratch = Scratch::new();
    let status = this_program(MEASURE, scratch.directory.path()).args(words).status().unwrap();
    assert!(status.success(), "the measurement failed");
}

/// This program in a role, with no setting but what it is given.
fn this_program(role: &str, temp: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for variable in ["PORTALLOC_DIR", "PORTALLOC_POOL", "PORTALLOC_EXCLUDE"] {
        command.env_remove(variable);
    }
    command.env("TMPDIR", temp).args([NAME, role]);
    command
}

fn measure(words: &[String]) {
    crate::full_pool::raise_descriptor_limit();
    let quick = words.iter().any(|word| word == "--quick");
    let file = words.iter().skip_while(|word| *word != "--json").nth(1);
    let mut report = Report::new(quick);
    let wanted: Vec<Part> = PARTS.into_iter().filter(|(name, _)| words.iter().any(|word| word == name)).collect();
    for (_, run) in if wanted.is_empty() { PARTS.to_vec() } else { wanted } {
        run(&mut report);
    }
    if let Some(file) = file {
        std::fs::write(file, report.json()).unwrap();
    }
}
