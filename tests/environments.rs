//! The life of environments, held and kept, as several processes see it: what they consist of, when they are over,
//! and what a cleanup removes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use portalloc::LeaseRequest;
use portalloc::registry::Timestamp;
use portalloc_testkit::{names, until};
use portalloc_tests::{Actor, Stage};
use serde_json::{Value, json};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn exists(environment: &Value, key: &str) -> bool {
    Path::new(text(environment, key)).exists()
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// What `list` says of an environment: its status and why it is stale.
fn status(actor: &mut Actor, id: &str) -> (String, String) {
    let listing = actor.ok("list");
    let all = listing["environments"].as_array().unwrap();
    match all.iter().find(|info| info["id"] == id) {
        Some(info) => (text(info, "status").to_owned(), text(info, "stale").to_owned()),
        None => ("gone".to_owned(), String::new()),
    }
}

fn is(status: &str, stale: &str) -> (String, String) {
    (status.to_owned(), stale.to_owned())
}

/// Nothing is left of anything.
fn is_clean(world: &Stage) {
    for directory in [world.namespace().join("envs"), world.temp(), world.work()] {
        assert_eq!(names(&directory), [""; 0], "{}", directory.display());
    }
    assert_eq!(world.allocator().census().unwrap().free, world.ports().len());
}

#[test]
fn an_environment_has_all_its_parts() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    for command in ["held", "kept"] {
        let made = actor.ok(command);
        let id = text(&made, "id");
        let temp_dir = world.temp().canonicalize().unwrap().join(format!("portalloc-{id}"));
        assert_eq!(made["temp_dir"], temp_dir.to_str().unwrap());
        assert_eq!((mode(&temp_dir), names(&temp_dir).len()), (0o700, 0));
        assert_eq!(mode(world.record(id)), 0o1600);
        assert_eq!(Path::new(text(&made, "env_file")), world.work().canonicalize().unwrap().join(".env.isolation"));
        let variables = made["variables"].as_object().unwrap();
        let ports: Vec<u64> = made["ports"].as_array().unwrap().iter().map(|port| port.as_u64().unwrap()).collect();
        let expected = json!({
            "ISOLATION_ID": id,
            "COMPOSE_PROJECT_NAME": format!("portalloc-{id}"),
            "TEMP_DIR": temp_dir,
            "PORT_BASE": ports[0].to_string(),
            "PORT_COUNT": "5",
            "PORT": ports[0].to_string(),
            "PORT_0": ports[0].to_string(),
            "PORT_1": ports[1].to_string(),
            "PORT_2": ports[2].to_string(),
            "PORT_3": ports[3].to_string(),
            "PORT_4": ports[4].to_string(),
        });
        assert_eq!(made["variables"], expected);
        let env_file = fs::read_to_string(text(&made, "env_file")).unwrap();
        for (name, value) in variables {
            assert!(env_file.lines().any(|line| line == format!("{name}={}", value.as_str().unwrap())), "{env_file}");
        }
        let record: Value = serde_json::from_slice(&fs::read(world.record(id)).unwrap()).unwrap();
        assert_eq!(record, made["record"]);
        assert_eq!(record["lifetime"], command);
        assert_eq!(actor.ok(&format!("validate {id}")), json!({"valid": true, "failures": {}}));
        assert_eq!(status(&mut world.actor(), id), is("active", ""));
        actor.ok(&format!("clean {}", made["environment"]));
        actor.ok(&format!("clean {}", made["environment"]));
        is_clean(&world);
    }
}

#[test]
fn names_become_variables_and_set_the_count() {
    let world = Stage::new(ACTOR, 10);
    let made = world.actor().ok("kept names postgres,my-db,x9 instance worker-1");
    assert_eq!(made["variables"]["PORT_COUNT"], "3");
    assert_eq!(made["variables"]["MY_DB_PORT"], made["ports"][1].to_string());
    assert_eq!(made["record"]["instance_id"], "worker-1");
    assert_eq!(made["variables"].get("PORT_0"), None);
    assert_eq!(made["variables"].get("PORT"), None, "none of three says that it is the one");
    let made = world.actor().ok("kept ports 4 names web file none");
    assert_eq!(made["variables"]["WEB_PORT"], made["ports"][0].to_string());
    assert_eq!(made["variables"]["PORT_3"], made["ports"][3].to_string());
    assert_eq!(made["env_file"], Value::Null);
}

#[test]
fn a_kept_environment_outlives_its_maker_and_is_cleaned_from_anywhere() {
    let world = Stage::new(ACTOR, 5);
    let made = world.actor().ok("kept ports 5");
    let id = text(&made, "id");
    let mut other = world.actor();
    assert_eq!(status(&mut other, id), is("active", ""));
    let failure = other.fails("lease 1", "pool_exhausted");
    assert!(failure.message.contains("5 kept"), "{}", failure.message);
    let failure = other.fails(&format!("these {}", world.base()), "port_in_use");
    assert!(failure.message.contains(id), "{}", failure.message);
    let report = other.ok(&format!("cleanup {id}"));
    assert_eq!(report["removed"][0]["ports"], made["ports"]);
    assert_eq!(report["removed"][0]["temp_dir"], made["temp_dir"]);
    is_clean(&world);
    assert_eq!(other.ok(&format!("cleanup {id}"))["removed"], json!([]), "again is no error");
    other.fails(&format!("validate {id}"), "not_found");
}

#[test]
fn a_held_environment_ends_with_its_holder_and_not_before() {
    let world = Stage::new(ACTOR, 5);
    let mut holder = world.actor();
    let made = holder.ok("held");
    let id = text(&made, "id");
    let mut other = world.actor();
    let failure = other.fails(&format!("cleanup {id}"), "in_use");
    assert!(failure.message.contains(&format!("PID {}", holder.pid())), "{}", failure.message);
    for selection in ["all", "stale", "older age 0"] {
        assert_eq!(other.ok(&format!("cleanup {selection}"))["removed"], json!([]), "{selection}");
    }
    assert!(exists(&made, "temp_dir") && exists(&made, "env_file"));
    holder.kill();
    until("it is stale", || status(&mut other, id) == is("stale", "holder_gone"));
    // Its ports are given out without a cleanup, and that does not keep the rest from being cleaned up.
    other.lease("lease 5");
    let report = other.ok("cleanup stale");
    assert_eq!(report["removed"][0]["id"], id);
    assert_eq!(report["removed"][0]["ports"], json!([]), "they are somebody else's by now");
    assert!(!exists(&made, "temp_dir") && !exists(&made, "env_file"));
    assert_eq!(world.allocator().census().unwrap().held, 5);
}

#[test]
fn a_time_to_live_ends() {
    let world = Stage::new(ACTOR, 5);
    let mut other = world.actor();
    other.ok("open");
    // Long enough for two looks on a machine that is busy with everything else.
    let made = world.actor().ok("kept ttl 5000");
    let id = text(&made, "id");
    assert_eq!(status(&mut other, id), is("active", ""));
    other.fails("lease 5", "pool_exhausted");
    until("it is over", || status(&mut other, id) == is("stale", "expired"));
    // Without a probe, of whose sockets a program that another test is just starting would have copies.
    assert_eq!(world.allocator().pool_map().unwrap().census().stale, 5);
    other.lease("lease 5");
    assert_eq!(other.ok("cleanup stale")["removed"][0]["id"], id);
    other.ok("release 0");
    is_clean(&world);
}

#[test]
fn whoever_waits_gets_the_ports_of_an_expired_environment() {
    let world = Stage::new(ACTOR, 5);
    world.actor().ok("kept ttl 300");
    assert_eq!(world.actor().lease("lease 5 wait 30000"), world.ports());
}

#[test]
fn the_end_of_its_owner_ends_it() {
    let world = Stage::new(ACTOR, 5);
    let mut owner = world.actor();
    let made = world.actor().ok(&format!("kept owner {}", owner.pid()));
    let mut other = world.actor();
    let id = text(&made, "id");
    assert_eq!(status(&mut other, id), is("active", ""));
    other.fails("lease 5", "pool_exhausted");
    // A zombie is an owner that ended.
    owner.kill_unreaped();
    until("it is over", || status(&mut other, id) == is("stale", "owner_ended"));
    other.lease("lease 5");
    assert_eq!(other.ok("cleanup stale")["removed"][0]["id"], id);
    other.fails("kept owner 4194305", "not_found");
    assert_eq!(names(world.temp()), [""; 0]);
}

#[test]
fn a_missing_worktree_frees_no_ports_before_a_cleanup() {
    let world = Stage::new(ACTOR, 5);
    let tree = world.path().join("tree");
    fs::create_dir(&tree).unwrap();
    let mut other = world.actor();
    let made = world.actor().ok(&format!("kept worktree {}", tree.display()));
    let id = text(&made, "id");
    rustix::fs::unlink(tree.join(".env.isolation")).unwrap();
    fs::remove_dir(&tree).unwrap();
    assert_eq!(status(&mut other, id), is("stale", "worktree_missing"));
    other.fails("lease 1", "pool_exhausted");
    other.fails(&format!("these {}", world.base()), "port_in_use");
    assert_eq!(world.allocator().census().unwrap().kept, 5);
    assert_eq!(other.ok("cleanup stale")["removed"][0]["id"], id);
    is_clean(&world);
}

#[test]
fn a_cleanup_of_one_worktree_leaves_the_others() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    let trees = ["one", "two"].map(|name| world.path().join(name));
    trees.iter().for_each(|tree| fs::create_dir(tree).unwrap());
    let [one, two] = trees.each_ref().map(|tree| actor.ok(&format!("kept worktree {}", tree.display())));
    let report = actor.ok(&format!("cleanup all worktree {}", trees[0].display()));
    assert_eq!(report["removed"].as_array().unwrap().len(), 1);
    assert!(!exists(&one, "temp_dir") && exists(&two, "temp_dir") && exists(&two, "env_file"));
    assert_eq!(actor.ok("cleanup older age 3600000")["removed"], json!([]));
    assert_eq!(actor.ok("cleanup older age 0")["removed"][0]["id"], two["id"]);
    is_clean(&world);
}

#[test]
fn reconcile_writes_labels_that_were_zeroed_by_hand() {
    let world = Stage::alone(ACTOR, 10);
    let mut actor = world.actor();
    let made = actor.ok("kept");
    let id = text(&made, "id");
    let slots = fs::read(world.ports_file()).unwrap();
    let file = fs::File::options().write(true).open(world.ports_file()).unwrap();
    let first = made["ports"][0].as_u64().unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[0; 2 * 64], first * 64).unwrap();
    assert_eq!(status(&mut actor, id), is("damaged", ""));
    let repairs = actor.ok("reconcile");
    let told = |port: u64| Value::from(format!("port {port}: label of environment {id} written again"));
    assert_eq!(repairs, json!([told(first), told(first + 1)]));
    assert_eq!(fs::read(world.ports_file()).unwrap(), slots);
    assert_eq!(status(&mut actor, id), is("active", ""));
    assert_eq!(actor.ok("reconcile"), json!([]));
    // A zeroed port that was given out before the repair is told, and makes it stale.
    std::os::unix::fs::FileExt::write_all_at(&file, &[0; 64], first * 64).unwrap();
    let lease = world.allocator().lease(LeaseRequest::exact([u16::try_from(first).unwrap()])).unwrap();
    let taken = format!("port {first}: claimed by the record of environment {id}, but another lease has it now");
    assert_eq!(actor.ok("reconcile"), json!([taken]));
    assert_eq!(status(&mut actor, id), is("stale", "ports_taken"));
    drop(lease);
    actor.ok("reconcile");
    assert_eq!(status(&mut actor, id), is("active", ""));
}

#[test]
fn a_port_that_was_an_expired_ones_needs_no_repair() {
    let world = Stage::alone(ACTOR, 4);
    let mut actor = world.actor();
    let over = actor.ok("kept ports 4 ttl 1");
    until("its time is over", || status(&mut actor, text(&over, "id")) == is("stale", "expired"));
    let _lease = world.allocator().lease(2).unwrap();
    let kept = actor.ok("kept ports 2 file none");
    assert_eq!(actor.ok("reconcile"), json!([]), "a healthy registry");
    assert_eq!(status(&mut actor, text(&kept, "id")), is("active", ""));
}

#[test]
fn one_whose_maker_died_before_the_last_step_claims_nothing() {
    let world = Stage::alone(ACTOR, 10);
    let mut actor = world.actor();
    let made = actor.ok("kept ports 4");
    let id = text(&made, "id");
    let ports: Vec<u16> = serde_json::from_value(made["ports"].clone()).unwrap();
    // As a kill leaves it between the last label and the step that counts.
    let making = world.record(id).with_extension("making");
    fs::rename(world.record(id), &making).unwrap();
    assert_eq!(status(&mut actor, id), is("stale", "unfinished"));
    actor.fails(&format!("attach {id}"), "not_found");
    assert_eq!(actor.ok("reconcile"), json!([]));

    // Every user sees that, also where the record is not theirs to read.
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&making, Some(12345), None).unwrap();
    }
    let allocator = world.allocator();
    assert_eq!(allocator.census().unwrap().stale, 4);
    let lease = allocator.lease(LeaseRequest::exact(ports[..2].to_vec())).unwrap();
    std::os::unix::fs::chown(&making, Some(rustix::process::geteuid().as_raw()), None).unwrap();
    actor.ok("reconcile");
    assert_eq!(status(&mut actor, id), is("stale", "unfinished"));
    assert_eq!(actor.ok("cleanup stale")["removed"].as_array().unwrap().len(), 1);
    assert!(allocator.lease(LeaseRequest::exact(ports[..2].to_vec())).is_err(), "they are leased");
    lease.release();
    is_clean(&world);
}

#[test]
fn a_cleanup_of_the_stale_spares_what_is_being_made() {
    let world = Stage::new(ACTOR, 40);
    let (mut maker, mut janitors) = (world.actor(), world.actors(2));
    for round in 0..600 {
        // Many looks, so that one of them falls into the moment in which a held one becomes a kept one.
        janitors.iter_mut().for_each(|janitor| (0..20).for_each(|_| janitor.send("cleanup stale")));
        let made = maker.ok("kept ports 2 file none");
        for janitor in &mut janitors {
            for _ in 0..20 {
                let report = janitor.answer().unwrap();
                let id = &made["id"];
                assert_eq!(report["removed"], json!([]), "round {round}: removed a live environment, made as {id}");
            }
        }
        assert_eq!(maker.ok(&format!("validate {}", text(&made, "id")))["valid"], true, "round {round}");
        maker.ok(&format!("cleanup {}", text(&made, "id")));
    }
    is_clean(&world);
}

#[test]
fn its_time_begins_when_its_ports_are_there() {
    let world = Stage::new(ACTOR, 4);
    let (mut holder, mut maker) = (world.actor(), world.actor());
    holder.lease("lease 4");
    maker.send("kept ports 4 file none ttl 1000000 wait 60000");
    // What it waits with is a watch on the ports file.
    let waits = || {
        let open = fs::read_dir(format!("/proc/{}/fd", maker.pid())).unwrap().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|link| link.to_string_lossy().contains("inotify"))
    };
    until("it waits", waits);
    let released = Timestamp::now();
    holder.ok("release 0");
    let record = &maker.answer().unwrap()["record"];
    let time = |key: &str| serde_json::from_value::<Timestamp>(record[key].clone()).unwrap().unix_ms();
    assert!(time("created_at") >= released.unix_ms(), "{record}");
    assert_eq!(time("expires_at") - time("created_at"), 1_000_000, "the clock was read once");
}
