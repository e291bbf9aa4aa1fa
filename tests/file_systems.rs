//! File systems that are read-only or full: an error that says so, and nothing half made is left.

use std::path::PathBuf;

use portalloc_testkit::{can_unshare, names};
use portalloc_tests::{Actor, Stage};
use serde_json::json;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

#[test]
fn a_registry_that_cannot_be_written_is_an_error() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let read_only = "mount --bind \"$1\" \"$1\"; mount -o remount,ro,bind \"$1\"; cd /";
    let failure = world.unshared(&["-m"], read_only).fails("lease 1", "permission_denied");
    assert!(failure.message.contains("PORTALLOC_DIR"), "{}", failure.message);
    drop(world.allocator());
    let failure = world.unshared(&["-m"], read_only).fails("lease 1", "permission_denied");
    assert!(failure.message.contains("PORTALLOC_DIR"), "{}", failure.message);
}

/// Fills a small file system at `directory` (below the scratch directory) with one file. What is in an actor's mount
/// namespace is reached through its `/proc/PID/root`.
fn on_a_full_disk(world: &Stage, directory: &str, room: &str) -> (Actor, PathBuf) {
    let mount = format!(
        "mkdir -p \"$1/{directory}\"; mount -t tmpfs -o size=64k,mode=1777 tmpfs \"$1/{directory}\"; cd \"$1/work\"; \
         {room} dd if=/dev/zero of=\"$1/{directory}/filler\" bs=1k count=100 2> /dev/null || true"
    );
    let actor = world.unshared(&["-m"], &mount);
    let filler = world.path().join(directory).join("filler");
    let inside = PathBuf::from(format!("/proc/{}/root{}", actor.pid(), filler.display()));
    (actor, inside)
}

#[test]
fn a_full_disk_under_the_registry_is_an_error_and_leaves_nothing_locked() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 20);
    let open_first = "printf 'open\\nquit\\n' | \"$2\" > /dev/null;";
    let (mut actor, filler) = on_a_full_disk(&world, "registry", open_first);
    for command in ["lease 5", &format!("these {}", world.base()), "kept", "held"] {
        let failure = actor.ask(command).unwrap_err();
        assert!(["registry_unusable", "io"].contains(&failure.code.as_str()), "{command}: {failure:?}");
        assert!(failure.message.contains("space"), "{command}: {failure:?}");
    }
    assert_eq!(actor.ok("list"), json!({"environments": [], "leases": []}));
    assert_eq!(names(world.temp()), [""; 0]);
    assert_eq!(names(world.work()), [""; 0]);
    rustix::fs::unlink(&filler).unwrap();
    assert_eq!(actor.lease("lease 20"), world.ports());
    actor.ok("release 0");
    actor.ok("kept ports 20");
    assert_eq!(actor.ok("cleanup all")["removed"].as_array().unwrap().len(), 1);
}

#[test]
fn a_full_disk_under_the_worktree_is_an_error_and_leaves_nothing() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let (mut actor, filler) = on_a_full_disk(&world, "work", "");
    for command in ["kept", "held"] {
        let failure = actor.ask(command).unwrap_err();
        assert_eq!(failure.code, "io", "{command}: {failure:?}");
        assert!(failure.message.contains("space"), "{command}: {failure:?}");
    }
    assert_eq!(actor.ok("list"), json!({"environments": [], "leases": []}));
    assert_eq!(names(world.temp()), [""; 0]);
    assert_eq!(names(filler.parent().unwrap()), ["filler"]);
    assert_eq!(actor.lease("lease 5"), world.ports());
}
