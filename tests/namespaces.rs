//! Processes in other namespaces (containers, sandboxes) that share one registry: ports belong to the network
//! namespace, process IDs to the PID namespace, paths to the mount namespace, and nothing is judged across.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use portalloc_testkit::{can_unshare, names, until};
use portalloc_tests::{Actor, Stage};
use serde_json::json;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

#[test]
fn network_namespaces_do_not_disturb_each_other() {
    if !can_unshare(&["-n"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let mut here = world.actor();
    let mut others = [world.unshared(&["-n"], ""), world.unshared(&["-n"], "")];
    assert_eq!(here.lease("lease 5"), world.ports());
    here.ok("bind 0");
    for other in &mut others {
        assert_eq!(other.lease("lease 5"), world.ports());
        other.ok("bind 0");
        other.fails("lease 1", "pool_exhausted");
        assert_eq!(other.ok("list")["leases"].as_array().unwrap().len(), 1);
    }
    here.fails(&format!("these {}", world.base()), "port_in_use");
    assert_eq!(names(world.registry()).len(), 3);
}

#[test]
fn environments_of_other_network_namespaces_are_left_alone() {
    if !can_unshare(&["-n"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let mut here = world.actor();
    let mut other = world.unshared(&["-n"], "");
    let theirs = other.ok("kept");
    let id = theirs["id"].as_str().unwrap();
    // The same ports are free here, and the env file is taken.
    let ours = here.ok("kept");
    assert_eq!(ours["ports"], theirs["ports"]);
    assert_ne!(ours["env_file"], theirs["env_file"]);
    assert_eq!(here.ok("list")["environments"].as_array().unwrap().len(), 1);
    assert_eq!(here.ok(&format!("cleanup {id}"))["removed"], json!([]));
    here.ok("cleanup all");
    assert_eq!(here.ok("cleanup stale")["swept"], json!([]));
    assert_eq!(other.ok(&format!("validate {id}"))["valid"], true);
    assert!(Path::new(theirs["temp_dir"].as_str().unwrap()).exists());
    other.ok("cleanup all");
    assert_eq!(names(world.temp()), [""; 0]);
}

#[test]
fn pid_namespaces_share_leases_and_judge_nobody_across() {
    for flags in [&["-p", "--fork", "--kill-child", "--mount-proc"][..], &["-p", "--fork", "--kill-child"]] {
        if !can_unshare(flags) {
            return;
        }
        let world = Stage::new(ACTOR, 10);
        let mut here = world.actor();
        let mut other = world.unshared(flags, "");
        let leased = other.lease("lease 3");
        let held = other.ok("held ports 3");
        let id = held["id"].as_str().unwrap();
        here.fails(&format!("these {}", leased[0]), "port_in_use");
        here.fails(&format!("cleanup {id}"), "in_use");
        assert_eq!(here.ok("list")["environments"][0]["status"], "active");
        assert_eq!(here.ok("cleanup stale")["removed"], json!([]));
        // The locks tell, where process IDs cannot.
        other.kill();
        until("its ports are free", || here.ok("list")["leases"] == json!([]));
        until("it is stale", || here.ok("list")["environments"][0]["stale"] == "holder_gone");
        assert_eq!(here.lease("lease 10"), world.ports());
        assert_eq!(here.ok("cleanup stale")["removed"][0]["id"], id);
    }
}

#[test]
fn an_owner_in_another_pid_namespace_is_not_judged() {
    let flags = ["-p", "--fork", "--kill-child", "--mount-proc"];
    if !can_unshare(&flags) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let mut here = world.actor();
    let mut other = world.unshared(&flags, "");
    let made = other.ok("kept owner self");
    assert_eq!(made["record"]["owner"]["pid"], 1);
    assert_eq!(here.ok("list")["environments"][0]["status"], "active");
    here.fails("lease 1", "pool_exhausted");
    // Nobody here can tell, not even once it is gone: it is kept until somebody cleans it up.
    other.kill();
    assert_eq!(here.ok("cleanup stale")["removed"], json!([]));
    here.fails("lease 1", "pool_exhausted");
    assert_eq!(here.ok("cleanup all")["removed"][0]["id"], made["id"]);
}

#[test]
fn a_worktree_in_another_mount_namespace_is_not_judged() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let mut here = world.actor();
    let prepare = "mount -t tmpfs tmpfs \"$1/work\"; mkdir \"$1/work/tree\"";
    let mut other = world.unshared(&["-m"], prepare);
    let tree = world.work().join("tree");
    let made = other.ok(&format!("kept worktree {}", tree.display()));
    assert!(!tree.exists());
    assert_eq!(here.ok("list")["environments"][0]["status"], "active");
    assert_eq!(here.ok("cleanup stale")["removed"], json!([]));
    assert_eq!(other.ok(&format!("validate {}", made["id"].as_str().unwrap()))["valid"], true);
}

#[test]
fn directories_of_network_namespaces_that_are_not_used_any_more_are_swept() {
    if !can_unshare(&["-n"]) {
        return;
    }
    let world = Stage::new(ACTOR, 5);
    let [mut idle, mut holding, mut keeping, mut fresh] = [(); 4].map(|()| world.unshared(&["-n"], ""));
    let directory = |actor: &Actor| {
        let inode = fs::metadata(format!("/proc/{}/ns/net", actor.pid())).unwrap().ino();
        world.registry().join(format!("net-{inode}"))
    };
    idle.lease("lease 1 sticky key");
    idle.ok("release 0");
    holding.lease("lease 1");
    keeping.ok("kept ports 1 file none");
    fresh.lease("lease 1");
    fresh.ok("release 0");
    let two_days_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    for actor in [&idle, &holding, &keeping] {
        let ports = File::options().write(true).open(directory(actor).join("ports")).unwrap();
        ports.set_modified(two_days_ago).unwrap();
    }
    assert_eq!(world.actor().ok("cleanup stale")["swept"], json!([directory(&idle)]));
    assert!(!directory(&idle).exists());
    assert!([&holding, &keeping, &fresh].iter().all(|actor| directory(actor).join("ports").exists()));
    // Whoever had it open makes it anew.
    idle.lease("lease 5");
    idle.fails("lease 1", "pool_exhausted");
    assert!(directory(&idle).join("ports").exists());
}
