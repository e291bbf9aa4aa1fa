//! What every run of the tests proves: the small configurations, the seeded bugs that show there, and that the model names
//! the lines that it stands for. The large ones are for `make model`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::code::{ORDERS, STEPS};
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
fn every_step_has_one_marker_in_the_core_and_no_other_stands_there() {
    let mut expected: BTreeSet<String> = STEPS.iter().map(|(step, ..)| format!("{step:?}")).collect();
    expected.extend(ORDERS.into_iter().flatten().map(|name| (*name).to_owned()));
    let markers = markers();
    let mut there = BTreeSet::new();
    for marker in &markers {
        assert!(there.insert(marker.name.clone()), "two markers, the second at {marker:?}");
        assert!(marker.has_code, "no line of code below {marker:?}");
    }
    let missing: Vec<_> = expected.difference(&there).collect();
    let unknown: Vec<_> = there.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing in the core: {missing:?}; unknown here: {unknown:?}");
    for (step, _, room) in STEPS {
        let elsewhere = markers.iter().find(|marker| marker.name == format!("{step:?}") && marker.room() != room);
        assert!(elsewhere.is_none(), "not in {room}: {elsewhere:?}");
    }
}

#[test]
fn the_markers_stand_in_the_order_of_the_model() {
    let markers = markers();
    let place = |name: &str| {
        let marker = markers.iter().find(|marker| marker.name == name).unwrap_or_else(|| panic!("no marker {name}"));
        ((&marker.file, marker.function), marker.position)
    };
    for order in ORDERS {
        for (one, next) in order.iter().zip(&order[1..]) {
            let ((function, before), (other, after)) = (place(one), place(next));
            assert_eq!(function, other, "{one} and {next} are not in one function any more, so change the model");
            assert!(before < after, "{one} does not stand before {next} any more, so change the model");
        }
    }
}

#[test]
fn the_table_in_the_readme_is_that_of_the_model() {
    let mut table = String::from("| step | what it does | room |\n|---|---|---|\n");
    for (step, words, room) in &STEPS {
        let _ = writeln!(table, "| {step:?} | {words} | {room} |");
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

/// A name in a comment `// step: ` of the core.
#[derive(Debug)]
struct Marker {
    name: String,
    /// Below core/src.
    file: PathBuf,
    /// Which of the file's functions it is in, counted.
    function: usize,
    /// Where it stands among the file's markers.
    position: usize,
    /// Whether a line of code is directly below it.
    has_code: bool,
}

impl Marker {
    /// The directory, or the file that is beside the directories.
    fn room(&self) -> &str {
        let first = self.file.iter().next().and_then(|first| first.to_str()).unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// All markers in the core, file by file from top to bottom.
fn markers() -> Vec<Marker> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../core/src");
    let (mut markers, mut directories) = (Vec::new(), vec![core.clone()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                markers.extend(markers_in(&fs::read_to_string(&path).unwrap(), path.strip_prefix(&core).unwrap()));
            }
        }
    }
    markers
}

fn markers_in(source: &str, file: &Path) -> Vec<Marker> {
    let mut markers = Vec::new();
    let mut function = 0;
    let mut lines = source.lines().map(str::trim_start).peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("//") && line.split(' ').any(|word| word == "fn") {
            function += 1;
        }
        let Some(names) = line.strip_prefix("// step: ") else { continue };
        let has_code = lines.peek().is_some_and(|below| !below.is_empty() && !below.starts_with("//"));
        for name in names.split(", ") {
            let (name, file, position) = (name.to_owned(), file.to_owned(), markers.len());
            markers.push(Marker { name, file, function, position, has_code });
        }
    }
    markers
}
