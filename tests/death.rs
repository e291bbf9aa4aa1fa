//! Processes that are killed or stopped: what they held is free at once, what they kept stays, and whatever they were
//! doing at that moment, nothing is left behind that cleanup does not remove.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failure is a failed test"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use portalloc::LeaseRequest;
use portalloc_testkit::{Random, names, until};
use portalloc_tests::{Actor, Stage, judge};
use rustix::process::Signal;
use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

fn listed<'a>(answer: &'a Value, key: &str) -> &'a [Value] {
    answer[key].as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

#[test]
fn ports_of_a_killed_process_are_free_at_once() {
    let world = Stage::alone(ACTOR, 20);
    let allocator = world.allocator();
    for _ in 0..20 {
        let mut actor = world.actor();
        let ports = actor.lease("lease 5");
        actor.ok("bind 0");
        assert!(allocator.lease(LeaseRequest::exact(ports.clone())).is_err());
        actor.kill();
        until("its ports are free", || allocator.lease(LeaseRequest::exact(ports.clone())).is_ok());
    }
}

#[test]
fn a_zombie_holds_nothing() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    let mut actor = world.actor();
    let ports = actor.lease("lease 5");
    let id = text(&actor.ok("held ports 2")["id"]).to_owned();
    actor.kill_unreaped();
    until("its ports are free", || allocator.lease(LeaseRequest::exact(ports.clone())).is_ok());
    // The environment has a lock of its own, which the kernel may let go of a moment later.
    let mut other = world.actor();
    until("its environment is stale", || other.ok("list")["environments"][0]["stale"] == "holder_gone");
    let listing = other.ok("list");
    assert_eq!(listing["environments"][0]["id"], *id);
    assert_eq!(listed(&listing, "leases").len(), 0);
}

#[test]
fn whoever_waits_gets_the_ports_of_a_killed_process() {
    let world = Stage::new(ACTOR, 5);
    let mut holder = world.actor();
    holder.lease("lease 5");
    let mut waiting = world.actors(4);
    waiting.iter_mut().for_each(|actor| actor.send("lease 1 wait 60000"));
    holder.kill();
    for actor in &mut waiting {
        assert_eq!(listed(&actor.answer().unwrap(), "ports").len(), 1);
    }
}

#[test]
fn a_stopped_process_keeps_its_ports() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    let mut actor = world.actor();
    let ports = actor.lease("lease 5");
    let held = actor.ok("held ports 5");
    actor.signal(Signal::STOP);
    let stat = format!("/proc/{}/stat", actor.pid());
    until("it is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));

    assert_eq!(allocator.census().unwrap().held, 10);
    assert!(allocator.lease(1).is_err());
    assert!(allocator.lease(LeaseRequest::exact(ports)).is_err());
    let mut other = world.actor();
    let failure = other.fails(&format!("cleanup {}", text(&held["id"])), "in_use");
    assert!(failure.message.contains(&format!("PID {}", actor.pid())), "{}", failure.message);
    assert_eq!(other.ok("list")["environments"][0]["status"], "active");
    assert_eq!(listed(&other.ok("cleanup stale"), "removed").len(), 0);
    assert_eq!(listed(&other.ok("cleanup all"), "removed").len(), 0);

    actor.signal(Signal::CONT);
    assert_eq!(actor.ok(&format!("validate {}", text(&held["id"])))["valid"], true);
    actor.ok("release 0");
    assert_eq!(allocator.census().unwrap().free, 5);
}

/// The environments that live, by their ID: all of them kept.
fn active(world: &Stage) -> Vec<(String, Vec<u16>)> {
    let allocator = world.allocator();
    let listing = allocator.list().unwrap();
    assert!(listing.leases.is_empty(), "{:?}", listing.leases);
    let alive = listing.environments.iter().filter(|info| !info.status.is_stale());
    alive.map(|info| (info.id.to_string(), info.ports.clone())).collect()
}

/// Whoever was killed while it wrote a record left an unfinished file, which is swept once it is surely not being
/// written any more. Instead of waiting, the files are made old.
fn age_unfinished(world: &Stage) {
    let envs = world.namespace().join("envs");
    for name in names(&envs).iter().filter(|name| name.contains(".new-")) {
        let file = fs::File::options().write(true).open(envs.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }
}

fn churning(world: &Stage, seed: u64) -> Actor {
    let mut actor = world.actor();
    let journal = world.path().join("journal");
    assert_eq!(actor.ok(&format!("churn journal {} seed {seed}", journal.display())), "ready");
    actor
}

#[test]
fn a_kill_at_any_moment_leaves_nothing_that_cleanup_does_not_remove() {
    let world = Stage::alone(ACTOR, 120);
    let journal = world.path().join("journal");
    let mut random = Random::new(1);
    let mut janitor = world.actor();
    let mut seeds = [0, 1, 2, 3];
    let mut actors: Vec<Actor> = (0..4).map(|seed| churning(&world, seed)).collect();
    for seed in 4..204 {
        // At once, or after some hundred operations of all: what is done at that very moment is anything.
        let size = || fs::metadata(&journal).map_or(0, |metadata| metadata.len());
        let enough = size() + u64::try_from(random.below(60) * 20).unwrap();
        until("the actors went on", || size() >= enough);
        let victim = random.below(4);
        actors[victim].kill();
        let words = actors[victim].last_words();
        assert_eq!(words, "", "the actor was not killed in the middle of it, but failed");
        let before = std::mem::replace(&mut seeds[victim], seed);
        if before % 10 != 0 {
            forget(&world, &mut janitor, before);
        }
        actors[victim] = churning(&world, seed);
    }
    for actor in &mut actors {
        actor.kill();
        assert_eq!(actor.last_words(), "");
    }
    let verdict = judge(&journal);
    assert!(verdict.taken > 1000, "only {} leases: this test is too easy", verdict.taken);

    // What is free, and what is not.
    let kept = active(&world);
    let kept_ports: BTreeSet<u16> = kept.iter().flat_map(|(_, ports)| ports.iter().copied()).collect();
    assert_eq!(kept_ports.len(), kept.iter().map(|(_, ports)| ports.len()).sum::<usize>(), "{kept:?}");
    let allocator = world.allocator();
    for port in world.ports() {
        let had = allocator.lease(LeaseRequest::exact([*port]));
        assert_eq!(had.is_err(), kept_ports.contains(port), "{port}: {had:?}");
    }

    // What is left after a cleanup of the dead: the living, and nothing else.
    age_unfinished(&world);
    let report = janitor.ok("cleanup stale");
    assert_eq!(listed(&report, "skipped").len(), 0, "{report}");
    let ids: BTreeSet<String> = kept.iter().map(|(id, _)| id.clone()).collect();
    let left = |directory: PathBuf| names(directory).into_iter().collect::<BTreeSet<_>>();
    let named = |prefix: &str, suffix: &str| ids.iter().map(|id| format!("{prefix}{id}{suffix}")).collect();
    assert_eq!(left(world.namespace().join("envs")), named("", ".json"));
    assert!(left(world.temp()).is_subset(&named("portalloc-", "")), "{:?} of {ids:?}", left(world.temp()));
    let env_files: BTreeSet<String> = ids.iter().map(|id| env_file_of(&world, id)).collect();
    assert!(left(world.work()).is_subset(&env_files), "{:?} of {env_files:?}", left(world.work()));
    // They are whole, but for those whose cleanup was what the kill interrupted.
    for (id, ports) in kept.iter().filter(|(_, ports)| verdict.holders.contains_key(&ports[0])) {
        let validation = janitor.ok(&format!("validate {id}"));
        assert_eq!(validation["valid"], true, "{id} with {ports:?}: {validation}");
    }

    let report = janitor.ok("cleanup all");
    assert_eq!(listed(&report, "removed").len(), kept.len(), "{report}");
    for directory in [world.namespace().join("envs"), world.temp(), world.work()] {
        assert_eq!(names(&directory), [""; 0], "{}", directory.display());
    }
    janitor.ok("reconcile");
    assert_eq!(janitor.lease("lease 120"), world.ports());
    // Behind the header, which stands in slot 0.
    let labels = || fs::read(world.ports_file()).unwrap().split_off(64);
    let used = labels().iter().filter(|byte| **byte != 0).count();
    assert!(used <= 120 * 64, "labels outside of the pool");
    janitor.ok("release 0");
    assert!(labels().iter().all(|byte| *byte == 0), "labels are left");
}

/// Cleans up what a dead actor kept, or the pool would soon be full of it.
fn forget(world: &Stage, janitor: &mut Actor, seed: u64) {
    for info in world.allocator().list().unwrap().environments {
        if info.record.is_some_and(|record| record.instance_id == seed.to_string()) {
            janitor.ok(&format!("cleanup {}", info.id));
        }
    }
}

fn env_file_of(world: &Stage, id: &str) -> String {
    let record: Value = serde_json::from_slice(&fs::read(world.record(id)).unwrap()).unwrap();
    let path = record["env_file"].as_str().unwrap_or_else(|| panic!("{id} has no env file"));
    path.rsplit('/').next().unwrap().to_owned()
}
