//! `portalloc doctor`

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use portalloc::Settings;
use portalloc::doctor::{Check, Explanation, Machine, Report, Status, Variable, examine};

use crate::args::Doctor;
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) fn run(args: &Doctor) -> Result<Exit, Failure> {
    let settings = Settings::given(None, args.pool.clone(), args.exclude.clone());
    let report = examine(settings, args.explain);
    let text = if args.json { output::json(&report)? } else { output::styled(human(&report)) };
    output::result(&text)?;
    let is_granted = report.explanation.as_ref().is_none_or(|explanation| explanation.granted);
    Ok(if report.ok && is_granted { Exit::Success } else { Exit::Failure })
}

fn human(report: &Report) -> String {
    let mut text = String::new();
    let width = report.checks.iter().map(|check| check.code.len()).max().unwrap_or(0);
    for check in &report.checks {
        line(&mut text, check, width);
    }
    if let Some(explanation) = &report.explanation {
        text.push('\n');
        explain(&mut text, explanation);
    }
    text.push('\n');
    machine(&mut text, &report.machine);
    text
}

fn line(text: &mut String, check: &Check, width: usize) {
    let (style, word) = match check.status {
        Status::Ok => (AnsiColor::Green.on_default(), "ok"),
        Status::Broken => (AnsiColor::Red.on_default().bold(), "BROKEN"),
        Status::Skipped => (Style::new().dimmed(), "skipped"),
        other => (AnsiColor::Yellow.on_default(), other.as_str()),
    };
    let name = check.code.replace('_', " ");
    let _ = writeln!(text, "{style}{word:7}{style:#}  {name:width$}  {}", output::plain(&check.message));
    if let Some(remedy) = &check.remedy {
        let _ = writeln!(text, "{:7}  {:width$}  -> {}", "", "", output::plain(remedy));
    }
}

/// How many holders are named; JSON has all of them.
const SHOWN: usize = 10;

fn explain(text: &mut String, explanation: &Explanation) {
    let _ = writeln!(text, "{}", output::plain(&explanation.message));
    if let Some(remedy) = &explanation.remedy {
        let _ = writeln!(text, "-> {}", output::plain(remedy));
    }
    for holder in explanation.holders.iter().take(SHOWN) {
        let _ = writeln!(text, "  {}: {}", output::plain(&holder.holder), output::count(holder.ports, "port"));
    }
    if let Some(more) = explanation.holders.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {}", output::count(more, "other holder"));
    }
}

fn machine(text: &mut String, machine: &Machine) {
    let Machine { version, system, kernel, architecture, libc, user_id, .. } = machine;
    let _ = writeln!(
        text,
        "portalloc {version}, {system} {}, {architecture}, {libc}, user {user_id}",
        output::plain(kernel)
    );
    let namespaces = machine.namespaces.iter().map(|(kind, number)| format!("{kind}:[{number}]"));
    let _ = writeln!(text, "namespaces: {}", namespaces.collect::<Vec<_>>().join(" "));
    if !machine.sandboxes.is_empty() {
        let names: Vec<_> = machine.sandboxes.iter().map(String::as_str).collect();
        let _ = writeln!(text, "inside: {}", names.join(", "));
    }
    for Variable { name, value, .. } in &machine.variables {
        let _ = writeln!(text, "{}={}", output::plain(name), output::plain(value));
    }
}
