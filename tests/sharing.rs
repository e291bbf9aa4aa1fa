//! One environment for many processes: attaching by ID, and the environment of the current run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a helper of tests: a failure is a failed test; a skipped one must be seen"
)]

use std::fs;
use std::path::Path;

use portalloc::LeaseRequest;
use portalloc_testkit::names;
use portalloc_tests::{Actor, Stage};
use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

fn id(answer: &Value) -> &str {
    answer["id"].as_str().expect("an ID")
}

/// An actor whose `ISOLATION_ID` is this.
fn worker(world: &Stage, id: Option<&str>) -> Actor {
    let mut command = world.program(ACTOR);
    match id {
        Some(id) => command.env("ISOLATION_ID", id),
        None => command.env_remove("ISOLATION_ID"),
    };
    Actor::spawn(command)
}

/// What all who share an environment see of it.
fn seen(answer: &Value) -> Vec<Value> {
    ["id", "ports", "temp_dir", "env_file", "variables", "record"].map(|key| answer[key].clone()).to_vec()
}

fn is_whole(world: &Stage, answer: &Value) -> bool {
    let exists = |key: &str| Path::new(answer[key].as_str().unwrap()).exists();
    exists("temp_dir") && exists("env_file") && world.record(id(answer)).exists()
}

#[test]
fn another_process_reads_all_of_it_and_ends_nothing() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    for kind in ["held", "kept"] {
        let mut maker = world.actor();
        let made = maker.ok(&format!("{kind} ports 3 names web,api instance one"));
        let mut other = world.actor();
        let attached = other.ok(&format!("attach {}", id(&made)));
        assert_eq!(seen(&attached), seen(&made));
        assert_eq!(attached["record"]["names"], Value::from(vec!["web", "api"]));
        assert_eq!((&made["has_lease"], &attached["has_lease"]), (&Value::from(kind == "held"), &Value::from(false)));
        other.ok("leave 0");
        assert!(is_whole(&world, &made));
        other.ok(&format!("attach {}", id(&made)));
        other.kill();
        assert!(is_whole(&world, &made));
        let census = allocator.census().unwrap();
        assert_eq!((census.free, census.held + census.kept), (7, 3));
        let ports: Vec<u16> = serde_json::from_value(made["ports"].clone()).unwrap();
        assert!(allocator.lease(LeaseRequest::exact(ports)).is_err());
        maker.ok("clean 0");
        assert_eq!(allocator.census().unwrap().free, 10);
    }
}

#[test]
fn it_can_be_attached_to_twice_and_by_its_maker() {
    let world = Stage::new(ACTOR, 10);
    let mut maker = world.actor();
    let made = maker.ok("held ports 3");
    for _ in 0..2 {
        assert_eq!(seen(&maker.ok(&format!("attach {}", id(&made)))), seen(&made));
    }
    maker.ok("leave 1");
    maker.ok("leave 2");
    assert!(is_whole(&world, &made), "the maker let go of readings, not of what it holds");
    maker.ok("leave 0");
    assert!(!world.record(id(&made)).exists());
}

#[test]
fn cleaning_up_what_another_holds_is_refused() {
    let world = Stage::new(ACTOR, 10);
    let (mut maker, mut other) = (world.actor(), world.actor());
    let made = maker.ok("held ports 3");
    other.ok(&format!("attach {}", id(&made)));
    other.fails("clean 0", "in_use");
    assert!(is_whole(&world, &made));
    let kept = maker.ok("kept ports 3 file none");
    other.ok(&format!("attach {}", id(&kept)));
    other.ok("clean 1");
    assert!(!world.record(id(&kept)).exists(), "whoever attached to a kept one may end it");
}

#[test]
fn what_is_not_there_is_not_found() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    let failure = actor.fails("attach 0123456789ab", "not_found");
    assert!(failure.message.contains("0123456789ab"), "{failure:?}");
    for nonsense in ["nonsense", "0123456789abc", "../../etc/0"] {
        actor.fails(&format!("attach {nonsense}"), "invalid_id");
    }
}

#[test]
fn what_is_over_is_not_found_and_why_is_told() {
    let world = Stage::new(ACTOR, 10);
    let mut other = world.actor();
    let mut maker = world.actor();
    let held = maker.ok("held ports 2");
    let owned = maker.ok("kept ports 2 owner self");
    let pid = maker.pid().to_string();
    maker.kill();
    let brief = other.ok("kept ports 2 ttl 1");
    portalloc_testkit::until("the TTL is over", || other.ask(&format!("attach {}", id(&brief))).is_err());
    for (made, why) in [(&held, "holder"), (&owned, pid.as_str()), (&brief, "TTL")] {
        let failure = other.fails(&format!("attach {}", id(made)), "not_found");
        assert!(failure.message.contains(id(made)) && failure.message.contains(why), "{why} in {failure:?}");
        assert!(is_whole(&world, made), "looking removes nothing");
    }
}

#[test]
fn a_broken_record_is_not_found() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    let (made, other) = (actor.ok("kept ports 2"), actor.ok("kept ports 2"));
    for text in ["", "{", "[]", "{\"format\": 99}", "\u{0}\u{1}"] {
        fs::write(world.record(id(&made)), text).unwrap();
        let failure = actor.fails(&format!("attach {}", id(&made)), "not_found");
        assert!(failure.message.contains(id(&made)), "{failure:?}");
    }
    // One that names another environment.
    fs::copy(world.record(id(&other)), world.record(id(&made))).unwrap();
    actor.fails(&format!("attach {}", id(&made)), "not_found");
    actor.ok(&format!("attach {}", id(&other)));
}

#[test]
fn that_of_another_user_is_denied() {
    if !rustix::process::geteuid().is_root() {
        if std::env::var_os("CI").is_some() {
            panic!("CI must run this test as root");
        }
        eprintln!("SKIPPED: only root can give a record to another user");
        return;
    }
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    let made = actor.ok("kept ports 2");
    std::os::unix::fs::chown(world.record(id(&made)), Some(54321), None).unwrap();
    let failure = actor.fails(&format!("attach {}", id(&made)), "permission_denied");
    assert!(failure.message.contains("54321") && failure.message.contains(id(&made)), "{failure:?}");
    worker(&world, Some(id(&made))).fails("current ports 2", "permission_denied");
    assert_eq!(names(world.temp()).len(), 1, "no other one is made in its place");
}

#[test]
fn the_current_one_is_the_one_that_the_variable_names() {
    let world = Stage::new(ACTOR, 10);
    let mut maker = world.actor();
    for kind in ["held", "kept"] {
        let made = maker.ok(&format!("{kind} ports 3 names web"));
        let mut worker = worker(&world, Some(id(&made)));
        // What it would ask for otherwise does not matter.
        let current = worker.ok("current ports 1 names other");
        assert_eq!(seen(&current), seen(&made));
        assert_eq!(current["has_lease"], false);
        worker.ok("leave 0");
        assert!(is_whole(&world, &made));
    }
    assert_eq!(names(world.temp()).len(), 2);
}

#[test]
fn without_a_live_one_there_is_a_new_one() {
    let world = Stage::new(ACTOR, 10);
    let mut gone = world.actor();
    let stale = gone.ok("held ports 2");
    gone.kill();
    for named in [None, Some(""), Some("0123456789ab"), Some(id(&stale))] {
        let mut worker = worker(&world, named);
        let current = worker.ok("current ports 2 names web,api");
        assert_eq!(current["has_lease"], true, "{named:?}");
        assert_ne!(current["id"], stale["id"]);
        assert_eq!(current["variables"]["WEB_PORT"], current["ports"][0].to_string());
        assert_ne!(named, Some(id(&current)));
        worker.ok("leave 0");
        assert!(!world.record(id(&current)).exists(), "it ends with its maker");
    }
}

#[test]
fn nonsense_in_the_variable_is_refused() {
    let world = Stage::new(ACTOR, 10);
    for nonsense in ["nonsense", "0123456789ab ", "0123456789AB", "../../../tmp"] {
        worker(&world, Some(nonsense)).fails("current ports 1", "invalid_id");
    }
    assert_eq!(names(world.temp()), [""; 0]);
    assert_eq!(world.allocator().census().unwrap().free, 10);
}

#[test]
fn the_workers_of_a_run_share_its_ports() {
    let world = Stage::new(ACTOR, 10);
    let mut maker = worker(&world, None);
    let made = maker.ok("current ports 5");
    let mut workers: Vec<Actor> = (0..8).map(|_| worker(&world, Some(id(&made)))).collect();
    workers.iter_mut().for_each(|worker| worker.send("current ports 5"));
    for worker in &mut workers {
        assert_eq!(seen(&worker.answer().unwrap()), seen(&made));
    }
    drop(workers);
    assert!(is_whole(&world, &made));
    assert_eq!(world.allocator().census().unwrap().held, 5);
    drop(maker);
    portalloc_testkit::until("it ended with its maker", || world.allocator().census().unwrap().free == 10);
}
