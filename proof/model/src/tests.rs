//! What every run of the tests proves: the small configurations, the seeded bugs that show there, and that the model names
//! the lines that it stands for. The large ones are for `make model`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::code::{Code, ORDERS, STEPS};
use crate::configurations::{all, small};
use crate::faults::{ALL, SEEDED, SPARE};
use crate::protocol::Protocol;
use crate::{explore, properties};

#[test]
fn the_small_configurations_keep_every_promise() {
    for protocol in small() {
        let seen = explore::everything(protocol.clone());
        assert!(seen.unique > 100, "{}: only {} states", protocol.name, seen.unique);
        if let Some(property) = seen.broken.first() {
            let way = explore::shortest(protocol.clone(), property).unwrap_or_default();
            panic!("{}: {property}\n{way}", protocol.name);
        }
    }
}

#[test]
fn seeded_bugs_are_noticed() {
    let mut unnoticed = Vec::new();
    for seeded in &SEEDED {
        if let Some(protocol) = small().into_iter().find(|protocol| protocol.name == seeded.configuration) {
            let found = explore::shortest(Protocol { fault: Some(seeded.fault), ..protocol }, seeded.breaks);
            unnoticed
                .extend(found.is_none().then(|| format!("{:?} does not break \"{}\"", seeded.fault, seeded.breaks)));
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}

#[test]
fn every_fault_is_seeded_or_known_to_be_spare() {
    for fault in ALL {
        let seeded = SEEDED.iter().any(|seeded| seeded.fault == fault);
        assert!(seeded != SPARE.contains(&fault), "{fault:?}");
    }
    let names: BTreeSet<&str> = all().iter().map(|protocol| protocol.name).collect();
    assert_eq!(names.len(), all().len(), "two configurations have one name");
    for seeded in &SEEDED {
        assert!(
            names.contains(seeded.configuration),
            "{:?}: no configuration {:?}",
            seeded.fault,
            seeded.configuration
        );
    }
}

#[test]
fn every_property_is_broken_by_some_seeded_bug() {
    for (name, _) in properties::ALL {
        assert!(SEEDED.iter().any(|seeded| seeded.breaks == name), "nothing shows that \"{name}\" can be broken");
    }
}

#[test]
fn the_lines_that_the_model_stands_for_are_there() {
    let gone = STEPS.iter().filter(|(.., Code { file, function, text })| positions(file, function, &[text]).is_none());
    let told: Vec<String> = gone
        .map(|(step, words, Code { file, function, text })| {
            format!("{step:?} ({words}): `{text}` in {function} of {file}")
        })
        .collect();
    assert!(told.is_empty(), "not there any more, so change the model: {told:#?}");
}

#[test]
fn the_lines_stand_in_the_order_of_the_model() {
    let other = ORDERS.iter().filter(|(file, function, texts)| positions(file, function, texts).is_none());
    let told: Vec<String> =
        other.map(|(file, function, texts)| format!("{function} of {file}: {texts:?}, one after the other")).collect();
    assert!(told.is_empty(), "not in this order any more, so change the model: {told:#?}");
}

#[test]
fn the_table_in_the_readme_is_that_of_the_model() {
    let mut table = String::from("| step | what it does | where | code |\n|---|---|---|---|\n");
    for (step, words, Code { file, function, text }) in &STEPS {
        let text = text.replace('|', "\\|");
        let _ = writeln!(table, "| {step:?} | {words} | {file}, `{function}` | `{text}` |");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("<!-- steps -->\n").unwrap();
    let (there, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("PORTALLOC_UPDATE_TABLE").is_some() {
        fs::write(&path, format!("{before}<!-- steps -->\n{table}<!-- end -->{after}")).unwrap();
    } else {
        assert_eq!(there, table, "run the tests once with PORTALLOC_UPDATE_TABLE=1");
    }
}

/// Whether some function of that name in the file has all of `texts`, one after the other.
fn positions(file: &str, function: &str, texts: &[&str]) -> Option<()> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let source = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = source.lines().collect();
    let starts = |line: &str| line.contains(&format!("fn {function}(")) || line.contains(&format!("fn {function}<"));
    (0..lines.len()).filter(|at| starts(lines[*at])).find_map(|at| {
        let indentation = lines[at].len() - lines[at].trim_start().len();
        let end = format!("{}}}", " ".repeat(indentation));
        let body: Vec<&str> = lines[at..].iter().copied().take_while(|line| *line != end).collect();
        let body = plain(&body.join(" "));
        let mut rest = body.as_str();
        for text in texts {
            rest = rest.split_once(&plain(text))?.1;
        }
        Some(())
    })
}

/// Without spaces, so that it does not matter where the formatter breaks lines.
fn plain(text: &str) -> String {
    text.split_whitespace().collect()
}
