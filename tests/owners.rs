//! Who counts as alive: judged only by what can be known for certain.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::io::Write;
use std::process::{Command, Stdio};

use portalloc_testkit::{Process, can_unshare, until};
use portalloc_tests::{Actor, Stage};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

fn status(actor: &mut Actor) -> String {
    actor.ok("list")["environments"][0]["status"].as_str().unwrap().to_owned()
}

/// A process that runs until it is dropped.
fn owner() -> Process {
    Process::start(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null())).unwrap()
}

#[test]
fn another_boot_id_ends_nobody() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 2);
    let mut owner = owner();
    let mut maker = world.actor();
    maker.ok(&format!("kept ports 2 file none owner {}", owner.id()));
    // As systemd-nspawn and LXC give their containers one of their own.
    let another = "cat /proc/sys/kernel/random/uuid > \"$1/boot_id\"; mount --bind \"$1/boot_id\" /proc/sys/kernel/random/boot_id";
    let mut inside = world.unshared(&["-m"], another);
    assert_eq!(status(&mut inside), "active");
    inside.fails(&format!("these {}", world.base()), "port_in_use");
    inside.fails("lease 1", "pool_exhausted");
    owner.end();
    assert_eq!(status(&mut inside), "stale", "the same process, ended, is known by its number");
    assert_eq!(inside.lease("lease 2"), world.ports());
}

#[test]
fn another_time_namespace_is_no_place_to_judge_from() {
    if !can_unshare(&["-T", "--boottime", "1000000", "-f"]) {
        return;
    }
    let world = Stage::new(ACTOR, 2);
    let mut owner = owner();
    let mut maker = world.actor();
    maker.ok(&format!("kept ports 2 file none owner {}", owner.id()));
    let mut inside = world.unshared(&["-T", "--boottime", "1000000", "-f"], "");
    assert_eq!(status(&mut inside), "active");
    inside.fails(&format!("these {}", world.base()), "port_in_use");
    inside.fails("lease 1", "pool_exhausted");
    assert_eq!(status(&mut maker), "active");
    owner.end();
    assert_eq!(status(&mut maker), "stale");
    assert_eq!(status(&mut inside), "active", "nothing is taken away on a guess");
}

/// Its main thread ends once it has read a line, and its other one with its standard input.
const LEADERLESS: &str = "
#include <pthread.h>
#include <unistd.h>
static void *rest(void *unused) { char byte; while (read(0, &byte, 1) > 0); _exit(0); }
int main(void) { char byte; pthread_t thread; read(0, &byte, 1); pthread_create(&thread, 0, rest, 0); pthread_exit(0); }
";

#[test]
fn a_process_whose_main_thread_has_ended_is_alive() {
    let world = Stage::new(ACTOR, 2);
    let program = world.path().join("leaderless");
    let mut compiler = Command::new("cc")
        .args(["-pthread", "-x", "c", "-", "-o"])
        .arg(&program)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a C compiler");
    compiler.stdin.take().unwrap().write_all(LEADERLESS.as_bytes()).unwrap();
    assert!(compiler.wait().unwrap().success());
    let mut owner = Process::start(Command::new(&program).stdin(Stdio::piped())).unwrap();
    owner.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    let state = format!("/proc/{}/stat", owner.id());
    until("its main thread has ended", || std::fs::read_to_string(&state).unwrap().contains(") Z "));

    let mut actor = world.actor();
    actor.ok(&format!("kept ports 2 file none owner {}", owner.id()));
    assert_eq!(status(&mut actor), "active");
    actor.fails("lease 1", "pool_exhausted");
    // It ends, and is not waited for: a zombie, as its main thread was before.
    drop(owner.stdin.take());
    until("it has ended", || status(&mut actor) == "stale");
    assert_eq!(actor.lease("lease 2"), world.ports());
}

#[test]
fn a_proc_with_nothing_but_processes_will_do() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    // As systemd's ProcSubset=pid has it.
    let mut inside = world.unshared(&["-m"], "mount -t proc -o subset=pid proc /proc");
    assert_eq!(inside.lease("lease 2").len(), 2);
    inside.ok("kept ports 2 file none owner self");
    assert_eq!(status(&mut inside), "active");
    world.actor().fails("lease 2", "pool_exhausted");
}

#[test]
fn without_proc_an_error_names_what_is_missing() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let mut inside = world.unshared(&["-m"], "mount -t tmpfs tmpfs /proc");
    let failure = inside.ask("lease 1").unwrap_err();
    assert!(failure.message.contains("/proc/thread-self/ns/net"), "{}", failure.message);
}
