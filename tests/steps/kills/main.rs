//! SIGKILL before each system call of each operation, but for those that only look, since a kill before them leaves what a
//! kill before the next one leaves: whatever was done until then, nothing of the neighbours' is harmed, every port that is
//! nobody's can be leased, and cleanup removes all that the dead one left. `death.rs` kills at random instants, and more
//! processes at once; here no instant is left out.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a helper of tests: a failure is a failed test; how many cases there were must be seen"
)]

mod scene;

use std::fs;
use std::os::unix::fs::FileExt;

use portalloc_testkit::names;
use portalloc_tests::{Actor, Steps, can_step};

use scene::{First, Scene, ports_of, text};

/// Readies a victim, and says which of its commands it is to be killed in.
type Prepare = fn(&mut Scene, &mut Actor) -> String;

/// Kills a fresh victim before every system call of its command that changes something, twice each, and returns how many
/// there are.
fn killed_everywhere(scene: &mut Scene, name: &str, of_worktree: bool, prepare: Prepare) -> usize {
    let mut cases = 0;
    for first in [First::Lease, First::Cleanup] {
        for steps in 1.. {
            let mut victim = scene.world.actor();
            let command = prepare(scene, &mut victim);
            let mut stepping = Steps::begin(&mut victim, &command);
            let last = (0..steps).map_while(|_| stepping.changing_step()).enumerate().last();
            let done = last.as_ref().map(|(index, _)| index + 1);
            victim.kill();
            let moment = format!("{name} ({command}), killed before its step {steps}, {last:?}, {first:?}");
            if of_worktree {
                scene.leads_to_its_environment(first, &moment);
            }
            scene.stands(first, &moment);
            cases += 1;
            if done != Some(steps) {
                break;
            }
        }
    }
    cases
}

/// All operations in a scene each; fails if one of them has become so short that it cannot be what it was.
fn all(operations: &[(&str, usize, bool, Prepare)]) {
    each(operations, false);
}

fn each(operations: &[(&str, usize, bool, Prepare)], of_worktree: bool) {
    if !can_step() {
        return;
    }
    for (name, least, taken, prepare) in operations {
        let mut scene = Scene::new(*taken);
        let cases = killed_everywhere(&mut scene, name, of_worktree, *prepare);
        scene.ends();
        eprintln!("{name}: {cases} kills");
        assert!(cases >= *least, "{name}: only {cases} kills");
    }
}

#[test]
fn a_lease_is_nothing_or_all() {
    all(&[
        ("lease", 10, false, |_, victim| {
            victim.ok("open");
            "lease 3".to_owned()
        }),
        ("guarded lease", 10, false, |_, victim| {
            victim.ok("open");
            "lease 3 guarded".to_owned()
        }),
        ("scattered lease", 10, false, |_, victim| {
            victim.ok("open");
            "scattered 2".to_owned()
        }),
        ("sticky lease", 10, false, |scene, victim| {
            scene.mislead_the_memory();
            victim.ok("open");
            "lease 3 sticky key".to_owned()
        }),
        ("first lease", 10, false, |_, _| "lease 1".to_owned()),
        ("lease of more than there is", 10, false, |scene, victim| {
            victim.ok("open");
            format!("lease {}", scene.room() + 1)
        }),
        ("release", 10, false, |_, victim| {
            victim.lease("lease 3 guarded");
            "release 0".to_owned()
        }),
        ("list", 10, false, |_, victim| {
            victim.lease("lease 3");
            "list".to_owned()
        }),
    ]);
}

#[test]
fn an_environment_is_made_or_to_be_removed() {
    all(&[
        ("held environment", 20, false, |_, victim| {
            victim.ok("open");
            "held ports 3".to_owned()
        }),
        ("kept environment", 20, false, |_, victim| {
            victim.ok("open");
            "kept ports 3 names web,api".to_owned()
        }),
        ("kept environment without env file", 20, false, |_, victim| {
            victim.ok("open");
            "kept ports 2 file none".to_owned()
        }),
        ("env file beside a living one's", 20, true, |_, victim| {
            victim.ok("open");
            "kept ports 2".to_owned()
        }),
        ("env file in the place of a dead one's", 20, false, |scene, victim| {
            leave_a_dead_one(scene);
            victim.ok("open");
            "kept ports 2".to_owned()
        }),
        ("environment that fails at its env file", 20, true, |scene, victim| {
            victim.ok("open");
            format!("kept ports 2 file {}", scene.world.work().join("precious").display())
        }),
        ("current", 20, false, |_, victim| {
            victim.ok("open");
            "current ports 2".to_owned()
        }),
    ]);
}

#[test]
fn an_environment_is_removed_or_to_be_removed_again() {
    all(&[
        ("end of a held one", 10, false, |_, victim| {
            victim.ok("held ports 3");
            "leave 0".to_owned()
        }),
        ("cleanup of a held one by its holder", 10, false, |_, victim| {
            victim.ok("held ports 3");
            "clean 0".to_owned()
        }),
        ("cleanup of a kept one", 10, false, |_, victim| {
            let made = victim.ok("kept ports 3");
            fs::create_dir_all(format!("{}/a/b", text(made.get("temp_dir").unwrap()))).unwrap();
            format!("cleanup {}", text(made.get("id").unwrap()))
        }),
        ("cleanup of a kept one with its env file beside", 10, true, |_, victim| {
            let made = victim.ok("kept ports 3");
            format!("cleanup {}", text(made.get("id").unwrap()))
        }),
        ("cleanup of one that is broken", 10, false, |scene, victim| {
            let made = victim.ok("kept ports 3 file none");
            fs::write(scene.world.record(text(made.get("id").unwrap())), "{").unwrap();
            fs::remove_dir(text(made.get("temp_dir").unwrap())).unwrap();
            format!("cleanup {}", text(made.get("id").unwrap()))
        }),
        ("cleanup of what is stale", 20, false, |scene, victim| {
            leave_a_dead_one(scene);
            leave_an_expired_one(scene, 2);
            // The temp dir of one whose record is lost, and a record that never got its name.
            let made = scene.world.actor().ok("kept ports 1 file none");
            fs::remove_file(scene.world.record(text(made.get("id").unwrap()))).unwrap();
            let new = scene.world.namespace().join("envs/0123456789ab.making.new-0123456789abcdef");
            fs::write(&new, "{").unwrap();
            let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
            fs::File::open(&new).unwrap().set_modified(old).unwrap();
            victim.ok("open");
            "cleanup stale".to_owned()
        }),
        ("attach", 2, false, |scene, victim| {
            victim.ok("open");
            format!("attach {}", scene.id_of_kept())
        }),
    ]);
}

#[test]
fn a_worktree_has_no_environment_or_that_one() {
    each(
        &[
            ("first use", 40, false, |_, victim| {
                victim.ok("open");
                "obtain ports 2 file none".to_owned()
            }),
            ("use of an existing one", 4, false, |_, victim| {
                victim.ok("obtain ports 2 file none");
                "obtain ports 2 file none".to_owned()
            }),
            ("block of a new one", 60, false, |_, victim| {
                victim.ok("open");
                "block env.local".to_owned()
            }),
            ("repair", 60, false, |_, victim| {
                victim.ok("block env.local");
                "repair ports 2 file none".to_owned()
            }),
            ("use after a repair that was killed", 20, false, |scene, victim| {
                victim.ok("obtain ports 1 file none");
                interrupt_a_repair(scene);
                "obtain ports 1 file none".to_owned()
            }),
            ("end", 30, false, |_, victim| {
                victim.ok("block env.local");
                "down".to_owned()
            }),
        ],
        true,
    );
}

#[test]
fn a_registry_is_made_or_mended_or_to_be_mended() {
    all(&[
        ("lease of an expired one's ports", 8, false, |scene, victim| {
            leave_an_expired_one(scene, scene.room());
            victim.ok("open");
            "lease 2".to_owned()
        }),
        ("environment in the place of an expired one", 8, false, |scene, victim| {
            leave_an_expired_one(scene, scene.room());
            victim.ok("open");
            "kept ports 2 file none".to_owned()
        }),
        ("reconciliation of damaged labels", 20, false, |scene, victim| {
            let made = victim.ok("kept ports 2 file none");
            let all = scene.world.ports().to_vec();
            overwrite(scene, &ports_of(&made));
            overwrite(scene, &all);
            "reconcile".to_owned()
        }),
        ("lease among damaged labels", 8, false, |scene, victim| {
            victim.ok("open");
            let all = scene.world.ports().to_vec();
            overwrite(scene, &all);
            "lease 2".to_owned()
        }),
        ("restoring a truncated file", 10, false, |scene, _| {
            scene.truncate();
            "open".to_owned()
        }),
        ("restoring a file that was blown up", 10, false, |scene, _| {
            fs::File::options().write(true).open(scene.world.ports_file()).unwrap().set_len(5 << 20).unwrap();
            "open".to_owned()
        }),
        ("opening", 8, false, |_, _| "open".to_owned()),
    ]);
}

/// A held environment whose holder is gone.
fn leave_a_dead_one(scene: &Scene) {
    scene.world.actor().ok("held ports 2");
}

/// A kept environment whose time is over.
fn leave_an_expired_one(scene: &Scene, count: usize) {
    let mut maker = scene.world.actor();
    // Its ports are anywhere, so one for each: the pool need not have a run of them.
    for _ in 0..count {
        maker.ok("kept ports 1 file none ttl 1");
    }
}

/// A repair whose process was killed when the new environment was finished and the old one was still there.
fn interrupt_a_repair(scene: &Scene) {
    let mut victim = scene.world.actor();
    victim.ok("open");
    let mut stepping = Steps::begin(&mut victim, "repair ports 2 file none");
    let records = scene.world.namespace().join("envs");
    let finished = || names(&records).iter().filter(|name| name.ends_with(".json")).count();
    let before = finished();
    while finished() == before {
        assert!(stepping.changing_step().is_some(), "the repair ends with one");
    }
    victim.kill();
}

/// Writes nonsense into labels.
fn overwrite(scene: &Scene, ports: &[u16]) {
    let file = fs::File::options().write(true).open(scene.world.ports_file()).unwrap();
    for port in ports {
        file.write_all_at(&[0xA5; 64], u64::from(*port) * 64).unwrap();
    }
}
