//! Managed blocks in files of a worktree: kills, other processes, and what a file is besides its text.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use portalloc_testkit::names;
use portalloc_tests::{Stage, Steps, can_step};
use rustix::fs::{CWD, FileType, Mode, XattrFlags};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

#[test]
fn a_kill_at_any_moment_loses_nothing_and_leaves_nothing() {
    if !can_step() {
        return;
    }
    for before in [None, Some("A=1"), Some("A=1\nB=2\n")] {
        let mut cases = 0;
        for steps in 1.. {
            let world = Stage::new(ACTOR, 10);
            let path = world.work().join("env.local");
            if let Some(text) = before {
                fs::write(&path, text).unwrap();
            }
            let mut victim = world.actor();
            victim.ok("open");
            let mut stepping = Steps::begin(&mut victim, "block env.local");
            let done = (0..steps).map_while(|_| stepping.changing_step()).count();
            victim.kill();
            let text = fs::read_to_string(&path).unwrap_or_default();
            assert!(text.starts_with(before.unwrap_or_default()), "{steps}: {text}");
            assert!(text.matches(">>>").count() == text.matches("<<<").count(), "{steps}: {text}");
            let mut next = world.actor();
            if steps % 2 == 0 {
                next.ok("block env.local");
                assert_eq!(fs::read_to_string(&path).unwrap().matches(">>>").count(), 1);
            }
            next.ok("cleanup all");
            next.ok("cleanup stale");
            assert_eq!(fs::read_to_string(&path).ok().as_deref(), before, "{steps}");
            assert_eq!(names(world.work()).len(), usize::from(before.is_some()), "{steps}: {:?}", names(world.work()));
            cases = steps;
            if done < steps {
                break;
            }
        }
        assert!(cases > 15, "only {cases} kills");
    }
}

#[test]
fn processes_that_write_one_file_at_once_lose_nothing() {
    let world = Stage::new(ACTOR, 20);
    let path = world.work().join("env.local");
    fs::write(&path, "A=1").unwrap();
    let mut actors = world.actors(4);
    for round in 0..20 {
        for (index, actor) in actors.iter_mut().enumerate() {
            actor.send(&format!("block env.local instance {}", index / 2));
        }
        for actor in &mut actors {
            actor.answer().unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("A=1\n") && text.matches(">>>").count() == 2, "round {round}: {text}");
        actors[0].ok("cleanup all");
        assert_eq!(fs::read_to_string(&path).unwrap(), "A=1", "round {round}");
    }
    assert_eq!(names(world.work()), ["env.local"]);
}

#[test]
fn mode_group_and_attributes_stay() {
    let world = Stage::new(ACTOR, 10);
    let path = world.work().join("env.local");
    fs::write(&path, "A=1\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let has_attributes = rustix::fs::setxattr(&path, "user.note", b"mine", XattrFlags::empty()).is_ok();
    let before = fs::metadata(&path).unwrap();
    world.actor().ok("block env.local");
    let after = fs::metadata(&path).unwrap();
    assert_ne!(after.len(), before.len());
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    let mut value = [0; 8];
    assert!(!has_attributes || rustix::fs::getxattr(&path, "user.note", &mut value).unwrap() == 4);
}

#[test]
fn pipes_and_files_of_other_users_are_refused() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    rustix::fs::mknodat(CWD, world.work().join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let failure = actor.fails("block pipe", "invalid_argument");
    assert!(failure.message.contains("neither a file nor a directory"), "{}", failure.message);
    let foreign = world.work().join("foreign");
    fs::write(&foreign, "A=1\n").unwrap();
    if std::os::unix::fs::chown(&foreign, Some(12345), None).is_ok() {
        let failure = actor.fails("block foreign", "permission_denied");
        assert!(failure.message.contains("belongs to user 12345"), "{}", failure.message);
        assert_eq!(fs::read_to_string(&foreign).unwrap(), "A=1\n");
    }
}
