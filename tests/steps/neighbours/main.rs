//! A neighbour who meddles before a system call of an operation: empties, replaces, links away or fills what portalloc
//! works on, as another process of the same user or as another user who owns the directories. Whatever it was and whenever,
//! nothing foreign is read, written or removed, and the operation ends well or with a clear error. `tampering.rs` and
//! `records.rs` do such things before an operation, and say more of what it makes of them.
//!
//! There are too many moments for each run: by default some of them, others for each pair of operation and attack. Every
//! third with `PORTALLOC_STEPS=3`, all with 1; those of one pair with `PORTALLOC_STEPS_OF=OPERATION,ATTACK`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a helper of tests: a failure is a failed test; how many cases there were must be seen"
)]

mod attacks;
mod scene;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use portalloc_tests::{Actor, Steps, can_step};
use serde_json::Value;

use attacks::{Attack, ENV_FILES, FOLDERS, PORTS, RECORDS, TEMP_DIRS};
use scene::{Neighbour, Scene, can_be_others};

/// Readies a victim, and says during which of its commands the neighbour comes.
type Prepare = fn(&Scene, &mut Actor) -> String;

const LEASES: &[(&str, Prepare)] = &[
    ("open", |_, _| "open".to_owned()),
    ("lease", |_, victim| {
        victim.ok("open");
        "lease 2 guarded".to_owned()
    }),
    ("first lease", |_, _| "lease 1".to_owned()),
    ("release", |_, victim| {
        victim.lease("lease 2");
        "release 0".to_owned()
    }),
    ("reconcile", |_, victim| {
        victim.ok("kept ports 2");
        "reconcile".to_owned()
    }),
    ("list", |_, victim| {
        victim.ok("held ports 2");
        "list".to_owned()
    }),
];

const ENVIRONMENTS: &[(&str, Prepare)] = &[
    ("held", |_, victim| {
        victim.ok("open");
        "held ports 2".to_owned()
    }),
    ("kept in the place of a dead one", |scene, victim| {
        scene.actor().ok("held ports 1");
        victim.ok("open");
        "kept ports 2".to_owned()
    }),
    ("leave", |_, victim| {
        fill(&victim.ok("held ports 2"));
        "leave 0".to_owned()
    }),
    ("cleanup", |_, victim| {
        let made = victim.ok("kept ports 2");
        fill(&made);
        format!("cleanup {}", made.get("id").unwrap().as_str().unwrap())
    }),
    ("cleanup stale", |scene, victim| {
        scene.actor().ok("held ports 1");
        // One whose record is lost.
        let lost = scene.actor().ok("kept ports 1 file none");
        fill(&lost);
        fs::remove_file(scene.world.record(lost.get("id").unwrap().as_str().unwrap())).unwrap();
        fs::File::open(scene.world.ports_file()).unwrap();
        victim.ok("open");
        "cleanup stale".to_owned()
    }),
    ("validate", |_, victim| {
        let made = victim.ok("kept ports 2");
        format!("validate {}", made.get("id").unwrap().as_str().unwrap())
    }),
    ("attach", |_, victim| {
        let made = victim.ok("kept ports 2");
        format!("attach {}", made.get("id").unwrap().as_str().unwrap())
    }),
];

/// Puts into a temp dir what package caches do: directories that are not writable.
fn fill(made: &Value) {
    let temp = Path::new(made.get("temp_dir").unwrap().as_str().unwrap());
    let user = std::os::unix::fs::MetadataExt::uid(&fs::metadata(temp).unwrap());
    fs::create_dir_all(temp.join("a/b")).unwrap();
    fs::write(temp.join("a/b/file"), "").unwrap();
    for path in [temp.join("a/b/file"), temp.join("a/b"), temp.join("a")] {
        std::os::unix::fs::chown(&path, Some(user), Some(user)).unwrap();
    }
    fs::set_permissions(temp.join("a/b"), Permissions::from_mode(0o500)).unwrap();
}

/// From one step that is met to the next, of each pair. A prime, so that pairs differ.
const STRIDE: usize = 41;

/// Where one step between a look and a deed makes the difference: these pairs are met at every step.
const TELLING: &[(&str, &str)] = &[
    ("cleanup", "the env file becomes a guest's"),
    ("cleanup", "temp dirs become links"),
    ("cleanup", "directories in temp dirs become links"),
    ("cleanup", "directories below those become links"),
    ("kept in the place of a dead one", "the env file becomes a guest's"),
    ("lease", "the ports file becomes a hard link to a large one"),
];

/// Every operation with every attack of a kind, at some or all of its steps. Fails if there are fewer cases than `least`.
fn all(neighbour: Neighbour, operations: &[(&str, Prepare)], kinds: &[&[Attack]], least: usize) {
    if !can_step() || !can_be_others() {
        return;
    }
    let stride = std::env::var("PORTALLOC_STEPS").map_or(STRIDE, |number| number.parse().unwrap());
    let wanted = std::env::var("PORTALLOC_STEPS_OF").ok();
    let (mut cases, mut failures) = (0, Vec::new());
    for (number, (operation, prepare)) in operations.iter().enumerate() {
        for (index, attack) in kinds.iter().copied().flatten().enumerate() {
            let pair = format!("{operation},{}", attack.name);
            if wanted.as_ref().is_none_or(|wanted| *wanted == pair) {
                let telling = neighbour == Neighbour::Same && TELLING.contains(&(*operation, attack.name));
                let stride = if telling { 1 } else { stride };
                // Early ones are those that every operation has.
                let first = (number * 7 + index) % stride.min(12);
                for step in (first..).step_by(stride) {
                    // A list of all that fails says more than the first of it.
                    let met = || met(neighbour, (operation, *prepare), attack, step);
                    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(met)) {
                        Ok(true) => cases += 1,
                        Ok(false) => break,
                        Err(_) => failures.push(format!("{pair} before step {step}")),
                    }
                }
            }
        }
    }
    eprintln!("{neighbour:?}: {cases} cases");
    assert!(failures.is_empty(), "{} of {cases} cases failed: {failures:#?}", failures.len());
    assert!(wanted.is_some() || stride > STRIDE || cases >= least, "only {cases} cases");
}

/// The neighbour comes before a step. `false`: the operation has fewer.
fn met(neighbour: Neighbour, (operation, prepare): (&str, Prepare), attack: &Attack, step: usize) -> bool {
    let mut scene = Scene::new(neighbour);
    let mut victim = scene.actor();
    let command = prepare(&scene, &mut victim);
    let mut steps = Steps::begin(&mut victim, &command);
    let Some(call) = (0..=step).map_while(|_| steps.outward_step()).nth(step) else { return false };
    scene.suffer(attack);
    steps.finish();
    let moment = format!("{neighbour:?}, {operation} ({command}), {} before step {step}, {call}", attack.name);
    scene.stands(&victim.answer(), attack, &moment);
    true
}

#[test]
fn a_careless_neighbour_during_leases() {
    all(Neighbour::Same, LEASES, &[PORTS, FOLDERS, RECORDS], 100);
}

#[test]
fn a_careless_neighbour_during_environments() {
    all(Neighbour::Same, ENVIRONMENTS, &[PORTS, FOLDERS, RECORDS, TEMP_DIRS, ENV_FILES], 100);
}

#[test]
fn a_hostile_neighbour_during_leases() {
    all(Neighbour::Other, LEASES, &[PORTS, FOLDERS, RECORDS], 100);
}

#[test]
fn a_hostile_neighbour_during_environments() {
    all(Neighbour::Other, ENVIRONMENTS, &[PORTS, FOLDERS, RECORDS, TEMP_DIRS, ENV_FILES], 100);
}
