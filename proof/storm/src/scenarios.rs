//! One storm for each fault that was asked for, each in a process of its own, because it changes what its process sees
//! of the machine; and the report of all.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use portalloc_testkit::can_unshare;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::failure::{Context, Outcome};
use crate::fault::Fault;
use crate::ground::Ground;
use crate::language::Language;
use crate::storm::Storm;

pub(crate) fn run(arguments: &Arguments) -> Outcome<()> {
    match arguments.faults.as_slice() {
        [fault] => one(arguments, *fault),
        several => all(arguments, several),
    }
}

/// Several, one after the other.
fn all(arguments: &Arguments, faults: &[Fault]) -> Outcome<()> {
    let scratch = tempfile::tempdir().context("a directory")?;
    let mut reports = Vec::new();
    for fault in faults {
        if fault.file_system().is_some() && !can_unshare(&["--mount"]) {
            continue;
        }
        let report = scratch.path().join(fault.name());
        let mut command = Command::new(std::env::current_exe().context("this program")?);
        let number = |name: &str, value: u64| [format!("--{name}"), value.to_string()];
        command.args(number("kills", arguments.kills)).args(number("epoch", arguments.epoch));
        command.args(number("workers", arguments.workers as u64)).args(number("ports", arguments.ports as u64));
        command.args(["--faults", &fault.name()]).arg("--json").arg(&report);
        if let Some(seed) = arguments.seed {
            command.args(number("seed", seed));
        }
        if let Some(place) = &arguments.place {
            command.arg("--place").arg(place);
        }
        for language in &arguments.only {
            command.args(["--only", language.name()]);
        }
        if !command.status().context("a scenario")?.success() {
            return Err(format!("the storm with {} failed", fault.name()).into());
        }
        let text = fs::read(&report).context(report.display())?;
        let mut of_it: Value = serde_json::from_slice(&text).context("its report")?;
        reports
            .extend(of_it.get_mut("scenarios").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default());
    }
    write(arguments, reports)
}

fn one(arguments: &Arguments, fault: Fault) -> Outcome<()> {
    let languages: Vec<Language> = if arguments.only.is_empty() {
        Language::ALL.into_iter().filter(|language| language.is_available() && fault.endures(*language)).collect()
    } else {
        arguments.only.iter().copied().filter(|language| fault.endures(*language)).collect()
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock")?;
    let seed = arguments.seed.unwrap_or(now.as_secs());
    let mut ground = Ground::new(arguments.place.as_deref(), arguments.ports, fault.file_system())?;
    let names: Vec<&str> = languages.iter().map(|language| language.name()).collect();
    eprintln!("A storm of {} kills, {}, fault: {}, seed {seed}", arguments.kills, names.join(" "), fault.name());
    let mut storm = Storm::new(arguments, fault, &languages, seed, &ground)?;
    let raged = storm.rage();
    eprintln!("{}\n{}", storm.tally.progress(&storm.judge), storm.tally.table(&storm.judge));
    let mut report = storm.tally.json(&storm.judge);
    if let Some(report) = report.as_object_mut() {
        report.insert("fault".to_owned(), fault.name().into());
        report.insert("seed".to_owned(), seed.into());
    }
    drop(storm);
    if let Err(failure) = raged {
        ground.keep();
        let words = fs::read_to_string(ground.words()).unwrap_or_default();
        let last: Vec<&str> = words.lines().rev().take(40).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(format!(
            "FAILED, seed {seed}, fault {}: {failure}\nThe workers' last words:\n{}\nEverything is in {}",
            fault.name(),
            last.join("\n"),
            ground.scratch().display()
        )
        .into());
    }
    write(arguments, vec![report])
}

/// Says under which circumstances this was seen, and what.
fn write(arguments: &Arguments, scenarios: Vec<Value>) -> Outcome<()> {
    let Some(path) = &arguments.json else { return Ok(()) };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock")?;
    let versions: BTreeMap<&str, String> =
        Language::ALL.into_iter().filter_map(|language| Some((language.name(), language.version()?))).collect();
    let report = json!({
        "versions": versions,
        "date_unix": now.as_secs(),
        "version": env!("CARGO_PKG_VERSION"),
        "kernel": first_line(Path::new("/proc/sys/kernel/osrelease")),
        "processors": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "verdict": "held",
        "scenarios": scenarios,
    });
    fs::write(path, format!("{report:#}\n")).context(path.display())
}

fn first_line(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}
