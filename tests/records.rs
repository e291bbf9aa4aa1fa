//! Records that somebody wrote or edited by hand: they are untrusted input, and nothing that portalloc did not create
//! is removed or overwritten on their word. Victims stand around and must survive every operation.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use portalloc_testkit::names;
use portalloc_tests::{Actor, Stage};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");
const ID: &str = "0123456789ab";

/// Directories and files that are nobody's business.
struct Victims {
    directory: PathBuf,
    file: PathBuf,
}

impl Victims {
    fn of(world: &Stage) -> Self {
        let directory = world.path().join("victim");
        fs::create_dir(&directory).unwrap();
        let file = directory.join("precious");
        fs::write(&file, "PORT_BASE=1\n").unwrap();
        Self { directory, file }
    }

    fn survive(&self, after: &str) {
        assert_eq!(fs::read_to_string(&self.file).unwrap(), "PORT_BASE=1\n", "after {after}");
    }
}

/// A world with one kept environment, whose record is the model for forged ones.
fn model(world: &Stage) -> (Actor, Value) {
    let mut actor = world.actor();
    let made = actor.ok("kept ports 2");
    (actor, made["record"].clone())
}

/// Every operation that reads records. None of them may fail for anybody else's sake.
fn all_operations(actor: &mut Actor, id: &str, victims: &Victims) {
    for command in ["list", "reconcile", "lease 1", "check 1025", "cleanup stale", "cleanup older age 0"] {
        actor.ok(command);
        victims.survive(command);
    }
    for command in [format!("validate {id}"), format!("cleanup {id}"), "cleanup all".to_owned()] {
        let _ = actor.ask(&command);
        victims.survive(&command);
    }
    actor.ok("list");
}

/// Changes of a record that portalloc would not have made, with the victim's directory and file to aim at.
fn forgeries(world: &Stage, victims: &Victims) -> Vec<(&'static str, Value)> {
    let temp = world.temp();
    let outside = world.ports().last().unwrap() + 1;
    let named = victims.directory.join(format!("portalloc-{ID}"));
    vec![
        ("temp_dir elsewhere", json!({"temp_dir": victims.directory})),
        ("temp_dir with the name of a link", json!({"temp_dir": named})),
        ("temp_dir upwards", json!({"temp_dir": temp.join(format!("portalloc-{ID}/..")).join("../victim")})),
        ("temp_dir relative", json!({"temp_dir": format!("portalloc-{ID}")})),
        ("temp_dir of the root", json!({"temp_dir": "/"})),
        ("env_file by hand", json!({"env_file": victims.file})),
        ("env_file a directory", json!({"env_file": victims.directory})),
        ("env_file a device", json!({"env_file": "/dev/zero"})),
        ("env_file that is empty", json!({"env_file": ""})),
        ("lock_file elsewhere", json!({"lock_file": victims.file})),
        ("another ID", json!({"isolation_id": "ba9876543210"})),
        ("an ID that is a path", json!({"isolation_id": "../../victim"})),
        ("another project", json!({"compose_project_name": "production"})),
        ("port 0", json!({"ports": {"base_port": 0, "count": 2, "ports": [0, 1]}})),
        ("port 70000", json!({"ports": {"base_port": 70000, "count": 1, "ports": [70000]}})),
        ("no ports", json!({"ports": {"base_port": 1, "count": 0, "ports": []}})),
        ("repeated ports", json!({"ports": {"base_port": 7, "count": 2, "ports": [7, 7]}})),
        ("outside the pool", json!({"ports": {"base_port": outside, "count": 1, "ports": [outside]}})),
        ("held by nobody", json!({"lifetime": "held"})),
        ("an odd lifetime", json!({"lifetime": "for ever"})),
        ("long ago", json!({"expires_at": "1970-01-01T00:00:00.000Z"})),
        ("before all time", json!({"expires_at": "0000-00-00T00:00:00.000Z"})),
        ("hostile names", json!({"names": ["a; rm -rf /"]})),
        ("worktree gone", json!({"worktree_path": "/nowhere"})),
        (
            "an owner that never was",
            json!({"owner": {"pid": 4294967295u32, "start_time": 1, "pid_namespace": 1, "time_namespace": 1}}),
        ),
        ("another format", json!({"format": 99})),
        ("a format that is no number", json!({"format": {"a": [1]}})),
    ]
}

#[test]
fn nothing_is_removed_on_the_word_of_a_forged_record() {
    let world = Stage::new(ACTOR, 20);
    let victims = Victims::of(&world);
    symlink(&victims.directory, victims.directory.join(format!("portalloc-{ID}"))).unwrap();
    for (what, change) in forgeries(&world, &victims) {
        let (mut actor, mut record) = model(&world);
        let own = record["isolation_id"].as_str().unwrap().to_owned();
        record["isolation_id"] = ID.into();
        record["compose_project_name"] = format!("portalloc-{ID}").into();
        record["temp_dir"] = world.temp().join(format!("portalloc-{ID}")).to_str().into();
        record["lock_file"] = world.record(ID).to_str().into();
        record.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        fs::write(world.record(ID), serde_json::to_vec(&record).unwrap()).unwrap();
        // The environment from which it was copied is not harmed by it.
        for command in ["list", "reconcile", "cleanup stale"] {
            actor.ok(command);
            victims.survive(what);
        }
        let validation = actor.ok(&format!("validate {own}"));
        assert_eq!(validation["valid"], true, "{what}: {validation}");
        let _ = actor.ask(&format!("cleanup {ID}"));
        let validation = actor.ok(&format!("validate {own}"));
        assert_eq!(validation["failures"].get("temp_dir"), None, "{what}: {validation}");
        fs::write(world.record(ID), serde_json::to_vec(&record).unwrap()).unwrap();
        all_operations(&mut actor, ID, &victims);
        assert!(!world.record(ID).exists(), "{what}: the record could not be cleaned up");
        actor.ok("cleanup all");
        assert_eq!(names(world.namespace().join("envs")), [""; 0], "{what}");
    }
    assert_eq!(names(world.temp()), [""; 0]);
    assert_eq!(names(world.work()), [""; 0]);
}

#[test]
fn files_that_are_no_records_do_no_harm() {
    type Put = fn(&Stage, PathBuf);
    let kinds: [(&str, Put); 8] = [
        ("empty", |_, path| fs::write(path, "").unwrap()),
        ("not JSON", |_, path| fs::write(path, "\0\u{1}{{{").unwrap()),
        ("an array", |_, path| fs::write(path, "[]").unwrap()),
        ("deep", |_, path| fs::write(path, "[".repeat(1 << 20)).unwrap()),
        ("of 9 MB", |_, path| fs::write(path, " ".repeat(9 << 20)).unwrap()),
        ("a link to a file", |world, path| symlink(world.path().join("victim/precious"), path).unwrap()),
        ("a pipe", |_, path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap()),
        ("a link to nothing", |_, path| symlink("/nowhere", path).unwrap()),
    ];
    let world = Stage::new(ACTOR, 20);
    let victims = Victims::of(&world);
    for (kind, put) in kinds {
        let (mut actor, record) = model(&world);
        let own = record["isolation_id"].as_str().unwrap();
        put(&world, world.record(ID));
        let listing = actor.ok("list");
        let broken = listing["environments"].as_array().unwrap().iter().find(|info| info["id"] == ID);
        assert_eq!(broken.map(|info| &info["stale"]), Some(&json!("record_broken")), "{kind}: {listing}");
        assert_eq!(actor.ok(&format!("validate {ID}"))["valid"], false, "{kind}");
        let report = actor.ok("cleanup stale");
        assert_eq!(report["removed"][0]["id"], ID, "{kind}: {report}");
        assert_eq!(report["removed"].as_array().unwrap().len(), 1, "{kind}: {report}");
        assert_eq!(actor.ok(&format!("validate {own}"))["valid"], true, "{kind}");
        put(&world, world.record(ID));
        all_operations(&mut actor, ID, &victims);
        assert!(world.record(ID).symlink_metadata().is_err(), "{kind}: the record could not be cleaned up");
    }
}

#[test]
fn a_directory_in_the_place_of_a_record_does_no_harm() {
    let world = Stage::new(ACTOR, 20);
    let victims = Victims::of(&world);
    let (mut actor, record) = model(&world);
    fs::create_dir(world.record(ID)).unwrap();
    fs::write(world.record(ID).join("file"), "").unwrap();
    actor.ok("list");
    // Not made by portalloc, so not removed; but told, and nobody else's cleanup is kept from its work.
    let report = actor.ok("cleanup all");
    assert_eq!(report["removed"][0]["id"], record["isolation_id"]);
    assert_eq!(report["skipped"][0]["id"], ID);
    all_operations(&mut actor, ID, &victims);
    assert!(world.record(ID).join("file").exists());
}

#[test]
fn a_temp_dir_that_was_replaced_by_a_link_is_left() {
    let world = Stage::new(ACTOR, 20);
    let victims = Victims::of(&world);
    let (mut actor, record) = model(&world);
    let temp_dir = record["temp_dir"].as_str().unwrap();
    fs::remove_dir(temp_dir).unwrap();
    symlink(&victims.directory, temp_dir).unwrap();
    let report = actor.ok("cleanup all");
    assert!(report["removed"][0]["left"][0].as_str().unwrap().contains("symbolic link"), "{report}");
    victims.survive("cleanup all");
}

#[test]
fn an_env_file_that_became_a_link_is_left() {
    let world = Stage::new(ACTOR, 20);
    let victims = Victims::of(&world);
    let own = world.work().join(".env.isolation");
    symlink(&victims.file, &own).unwrap();
    let mut actor = world.actor();
    let made = actor.ok("kept");
    assert_ne!(made["env_file"], own.to_str().unwrap());
    actor.fails(&format!("kept file {}", own.display()), "env_file_exists");
    let beside = PathBuf::from(made["env_file"].as_str().unwrap());
    rustix::fs::unlink(&beside).unwrap();
    symlink(&victims.file, &beside).unwrap();
    actor.ok("cleanup all");
    assert!(own.is_symlink() && beside.is_symlink());
    victims.survive("cleanup all");
}

#[test]
fn temp_dirs_of_others_are_not_swept() {
    let world = Stage::new(ACTOR, 20);
    let mut actor = world.actor();
    actor.ok("list");
    let (foreign, other) = (world.temp().join(format!("portalloc-{ID}")), world.temp().join("portalloc-notes"));
    fs::create_dir(&foreign).unwrap();
    fs::create_dir(&other).unwrap();
    assert_eq!(actor.ok("cleanup stale")["swept"], json!([]), "they bear no mark of this registry");
    assert!(foreign.exists() && other.exists());
    // One that does is swept once its record is lost, as in a reboot.
    let made = actor.ok("kept");
    rustix::fs::unlink(world.record(made["id"].as_str().unwrap())).unwrap();
    assert_eq!(actor.ok("cleanup stale")["swept"], json!([made["temp_dir"]]));
    assert!(foreign.exists() && other.exists());
}
