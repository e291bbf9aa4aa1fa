//! `portalloc stop`, and how `down` shows the same.

use portalloc::ErrorCode;
use portalloc::worktree::{Outcome, StopOptions, StopReport};

use crate::args::{Stop, StopArgs};
use crate::exit::{Exit, Failure};
use crate::{output, wanted};

pub(crate) fn run(args: &Stop) -> Result<Exit, Failure> {
    let environment = wanted::find(&args.which)?;
    let mut options = options(&args.how);
    if !args.ports.is_empty() {
        options = options.ports(wanted::ports(&args.ports, &environment)?);
    }
    let report = environment.stop(&options)?;
    show(&report, args.how.json)?;
    if report.processes.is_empty() && report.is_clear() {
        output::note(format_args!("no server of environment {} is running", environment.id()));
    }
    Ok(exit(&report))
}

pub(super) fn options(how: &StopArgs) -> StopOptions {
    StopOptions::new().dry_run(how.dry_run).timeout(how.timeout)
}

/// Shows what was ended on standard output, and what was left on standard error.
pub(super) fn show(report: &StopReport, json: bool) -> Result<(), Failure> {
    if json {
        output::result(&output::json(report)?)?;
    } else {
        let lines = report.processes.iter().filter(|process| process.outcome != Outcome::Remains);
        let line = |process| format!("{}\n", output::plain(process));
        let text: String =
            lines.map(|process| line(format!("{process} ({}): {}", shown(&process.command), process.why))).collect();
        output::result(&text)?;
    }
    let code = ErrorCode::InUse;
    report.foreign.iter().for_each(|foreign| output::error(&format!("{code}: {foreign}")));
    report.unknown.iter().for_each(|unknown| output::error(&format!("{code}: {unknown}")));
    for supervisor in &report.supervisors {
        output::error(&format!("{code}: {supervisor}; it is not the environment's, so end it where it belongs"));
    }
    for process in report.processes.iter().filter(|process| process.outcome == Outcome::Remains) {
        output::error(&format!("{code}: {process}"));
    }
    Ok(())
}

/// Length at which a command line is cut; JSON has all of it.
const SHOWN: usize = 60;

fn shown(command: &str) -> String {
    let mut shown: String = command.chars().take(SHOWN).collect();
    if command.chars().nth(SHOWN).is_some() {
        shown.push_str("...");
    }
    shown
}

pub(super) fn exit(report: &StopReport) -> Exit {
    match (report.has_foreign(), report.is_clear()) {
        (true, _) => Exit::NotOurs,
        (false, false) => Exit::Failure,
        (false, true) => Exit::Success,
    }
}
