//! Forked children: they have copies of everything, and may let go of nothing that is their parent's.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failure is a failed test"
)]

use std::net::{TcpListener, UdpSocket};
use std::path::Path;

use portalloc::LeaseRequest;
use portalloc_testkit::{names, until};
use portalloc_tests::{Actor, Stage};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// A forked child of an actor. It ends with the actor's standard input at the latest.
struct Child {
    pid: Pid,
}

impl Child {
    /// Forks; the child does `commands` and answers.
    fn of(actor: &mut Actor, commands: &str) -> (Self, Vec<Value>) {
        let answer = actor.ok(&format!("fork {commands}"));
        let pid = answer["child"].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        (Self { pid: pid.expect("the child's ID") }, answer["answers"].as_array().expect("answers").clone())
    }

    fn kill(&self) {
        kill_process(self.pid, Signal::KILL).unwrap();
    }
}

#[test]
fn a_child_that_lets_go_of_its_copy_frees_nothing() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    for letting_go in ["drop 0", "release 0", "release 0;drop 0"] {
        let mut parent = world.actor();
        let ports = parent.lease("lease 5");
        let (child, _) = Child::of(&mut parent, letting_go);
        assert!(allocator.lease(LeaseRequest::exact(ports.clone())).is_err(), "after {letting_go}");
        child.kill();
        assert!(allocator.lease(LeaseRequest::exact(ports.clone())).is_err(), "after the end of the child");
        let states = allocator.check(ports.clone()).unwrap();
        let pid = format!("PID {}", parent.pid());
        assert!(states.iter().all(|state| state.to_string().contains(&pid)), "{states:?}");
        parent.ok("release 0");
        assert!(allocator.lease(LeaseRequest::exact(ports)).is_ok());
    }
}

#[test]
fn a_child_that_ends_in_order_frees_nothing() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    let mut parent = world.actor();
    let ports = parent.lease("lease 5");
    let held = parent.ok("held ports 5");
    // Its destructors run when standard input ends, at the same time as those of its parent.
    let (child, _) = Child::of(&mut parent, "drop 0;leave 0");
    assert!(allocator.lease(LeaseRequest::exact(ports.clone())).is_err());
    assert_eq!(allocator.census().unwrap().held, 10);
    assert!(Path::new(held["temp_dir"].as_str().unwrap()).is_dir());
    drop(parent);
    until("parent and child are gone", || test_kill_process(child.pid).is_err());
    assert_eq!(allocator.census().unwrap().free, 10);
}

#[test]
fn a_lease_lives_as_long_as_any_child_that_has_a_copy() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    let mut parent = world.actor();
    let ports = parent.lease("lease 5");
    let held = parent.ok("held ports 5");
    let id = held["id"].as_str().unwrap();
    let (child, _) = Child::of(&mut parent, "");
    parent.kill();
    assert_eq!(allocator.census().unwrap().held, 10);
    assert!(allocator.lease(LeaseRequest::exact(ports.clone())).is_err());
    let mut other = world.actor();
    assert_eq!(other.ok("list")["environments"][0]["status"], "active");
    other.fails(&format!("cleanup {id}"), "in_use");
    assert_eq!(other.ok("cleanup stale")["removed"], Value::Array(Vec::new()));
    child.kill();
    until("its ports are free", || allocator.lease(LeaseRequest::exact(ports.clone())).is_ok());
    // The environment has a lock of its own, which the kernel may let go of a moment later.
    until("its environment is stale", || other.ok("list")["environments"][0]["stale"] == "holder_gone");
    assert_eq!(other.ok("cleanup stale")["removed"][0]["id"], *id);
}

#[test]
fn the_parents_release_frees_what_a_child_has_a_copy_of() {
    let world = Stage::alone(ACTOR, 10);
    let allocator = world.allocator();
    let mut parent = world.actor();
    let ports = parent.lease("lease 5");
    let (child, _) = Child::of(&mut parent, "");
    parent.ok("release 0");
    let lease = allocator.lease(LeaseRequest::exact(ports.clone())).unwrap();
    // The copy is of no use any more: neither child nor parent disturbs the next holder.
    child.kill();
    parent.ok("drop 0");
    assert!(world.actor().ask(&format!("these {}", ports[0])).is_err());
    drop(lease);
}

#[test]
fn a_child_leases_for_itself() {
    let world = Stage::new(ACTOR, 10);
    let allocator = world.allocator();
    let mut parent = world.actor();
    parent.lease("lease 5");
    let (child, answers) = Child::of(&mut parent, "lease 5");
    assert_eq!(answers[0]["ok"]["ports"].as_array().unwrap().len(), 5);
    assert_eq!(allocator.census().unwrap().held, 10);
    // With what follows it: one number may begin with the other.
    let child_pid = format!("PID {} (", child.pid.as_raw_nonzero());
    let states = allocator.check(world.ports().iter().copied()).unwrap();
    assert_eq!(states.iter().filter(|state| state.to_string().contains(&child_pid)).count(), 5, "{states:?}");
    child.kill();
    until("the child's ports are free", || allocator.census().unwrap().free == 5);
}

#[test]
fn a_child_removes_nothing_of_its_parents_environment() {
    let world = Stage::new(ACTOR, 10);
    for letting_go in ["leave 0", "clean 0"] {
        let mut parent = world.actor();
        let held = parent.ok("held ports 5");
        let paths = ["temp_dir", "env_file"].map(|key| held[key].as_str().unwrap().to_owned());
        let record = world.record(held["id"].as_str().unwrap());
        let (child, answers) = Child::of(&mut parent, letting_go);
        let refused = letting_go == "clean 0";
        assert_eq!(answers[0].get("error").is_some(), refused, "{answers:?}");
        if refused {
            assert_eq!(answers[0]["error"], "in_use");
        }
        child.kill();
        assert!(paths.iter().all(|path| Path::new(path).exists()) && record.exists(), "after {letting_go}");
        assert_eq!(parent.ok(&format!("validate {}", held["id"].as_str().unwrap()))["valid"], true);
        parent.ok("clean 0");
        assert!(!paths.iter().any(|path| Path::new(path).exists()) && !record.exists());
        assert_eq!(world.allocator().census().unwrap().free, 10);
    }
}

#[test]
fn descriptors_are_closed_on_exec() {
    let world = Stage::alone(ACTOR, 5);
    let allocator = world.allocator();
    let lease = allocator.lease(5).unwrap();
    // A program that outlives the lease's holder would keep it, had it inherited the descriptor.
    let mut program = std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
    let directory = format!("/proc/{}/fd", program.id());
    until("it runs", || names(&directory).len() >= 3);
    let links = names(&directory).into_iter().filter_map(|fd| std::fs::read_link(format!("{directory}/{fd}")).ok());
    assert_eq!(links.filter(|link| link.starts_with(world.registry())).count(), 0);
    drop(lease);
    program.kill().unwrap();
    program.wait().unwrap();
}

#[test]
fn a_guard_is_its_parents_alone() {
    let world = Stage::alone(ACTOR, 4);
    for (letting_go, is_leased) in [("guard 0 to none", true), ("release 0", false)] {
        let mut parent = world.actor();
        let ports = parent.lease("lease 4 guarded");
        let (child, answers) = Child::of(&mut parent, "is_held 0");
        assert_eq!(answers[0]["ok"], true, "its copy of the lease is one");
        assert!(TcpListener::bind(("127.0.0.1", ports[0])).is_err(), "the parent's guard stands");
        parent.ok(letting_go);
        for port in &ports {
            TcpListener::bind(("127.0.0.1", *port)).unwrap();
            UdpSocket::bind(("127.0.0.1", *port)).unwrap();
        }
        assert_eq!(world.allocator().lease(4).is_err(), is_leased, "after {letting_go}");
        child.kill();
    }
}

#[test]
fn a_child_guards_what_it_has_leased_itself() {
    let world = Stage::alone(ACTOR, 4);
    let mut parent = world.actor();
    parent.lease("lease 1 guarded");
    let (child, answers) = Child::of(&mut parent, "lease 1 guarded");
    let port = u16::try_from(answers[0]["ok"]["ports"][0].as_u64().unwrap()).unwrap();
    parent.ok("release 0");
    assert!(TcpListener::bind(("127.0.0.1", port)).is_err(), "the child's guard stands");
    child.kill();
    until("the child is gone", || TcpListener::bind(("127.0.0.1", port)).is_ok());
}
