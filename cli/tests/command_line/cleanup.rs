//! `portalloc cleanup`: removes what the user requested, says so, and touches nothing else.

use std::fs;

use portalloc::EnvironmentRequest;
use portalloc::environment::EnvFile;
use portalloc_testkit::{CommandLine, id, path, ports, run, until};

use crate::PORTALLOC;

#[test]
fn one_is_removed_whole_from_any_directory_and_its_neighbour_stays() {
    let scratch = CommandLine::new(PORTALLOC);
    let (gone, neighbour) = (scratch.create(&[]), scratch.create(&[]));
    let id = id(&gone);
    fs::create_dir(path(&gone, "temp_dir").join("data")).unwrap();
    fs::write(path(&gone, "temp_dir").join("data/file"), "1").unwrap();
    let said = run(scratch.command(["cleanup", "--id", &id]).current_dir(scratch.elsewhere())).succeeded();
    for part in [
        &id,
        "as requested",
        &ports(&gone)[0].to_string(),
        path(&gone, "temp_dir").to_str().unwrap(),
        path(&gone, "env_file").to_str().unwrap(),
    ] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    for key in ["temp_dir", "env_file", "lock_file"] {
        assert!(!path(&gone, key).exists(), "{key} is still there");
        assert!(path(&neighbour, key).exists(), "the neighbour's {key} is gone");
    }
    assert_eq!(scratch.environment(neighbour["isolation_id"].as_str().unwrap())["status"], "active");
}

#[test]
fn again_is_no_error() {
    let scratch = CommandLine::new(PORTALLOC);
    let id = id(&scratch.create(&[]));
    scratch.run(["cleanup", "--id", &id]).succeeded();
    scratch.assert_nothing_left(&[]);
    let again = scratch.run(["cleanup", "--id", &id]);
    assert!(again.stderr.contains("nothing to remove"), "{again:?}");
    assert_eq!(again.succeeded(), "");
}

#[test]
fn an_unknown_one_is_nothing_to_remove() {
    let scratch = CommandLine::new(PORTALLOC);
    for arguments in ["--id 0123456789ab", "--all", "--stale", "--older-than 0s", "--all --worktree /nonexistent"] {
        let run = scratch.run(["cleanup"].into_iter().chain(arguments.split(' ')));
        assert!(run.stderr.contains("nothing to remove"), "{arguments}: {run:?}");
        assert_eq!(run.succeeded(), "");
    }
}

#[test]
fn several_may_be_named() {
    let scratch = CommandLine::new(PORTALLOC);
    let [one, two, three] = [(); 3].map(|()| id(&scratch.create(&[])));
    let said = scratch.run(["cleanup", "--id", &one, "--id", "0123456789ab", "--id", &two]).succeeded();
    assert!(said.contains(&one) && said.contains(&two) && !said.contains(&three), "{said}");
    let left: Vec<String> = scratch.environments().iter().map(id).collect();
    assert_eq!(left, [three]);
}

#[test]
fn one_bad_id_among_several_removes_none() {
    let scratch = CommandLine::new(PORTALLOC);
    let id = id(&scratch.create(&[]));
    scratch.run(["cleanup", "--id", &id, "--id", "../x"]).failed_with(2, "invalid_id");
    assert_eq!(scratch.environments().len(), 1);
}

#[test]
fn all_removes_all() {
    let scratch = CommandLine::new(PORTALLOC);
    let ids = [(); 3].map(|()| id(&scratch.create(&[])));
    let said = scratch.run(["cleanup", "--all"]).succeeded();
    assert!(ids.iter().all(|id| said.contains(id)), "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn stale_removes_only_those_that_are_and_says_why() {
    let scratch = CommandLine::new(PORTALLOC);
    let stays = id(&scratch.create(&["--ttl", "1h"]));
    let expired = id(&scratch.create(&["--ttl", "1ms"]));
    fs::create_dir(scratch.path().join("tree")).unwrap();
    let tree = scratch.path().join("tree");
    let homeless = id(&scratch.create(&["--no-env-file", "--worktree", tree.to_str().unwrap()]));
    fs::remove_dir(&tree).unwrap();
    until("the TTL is over", || scratch.environment(&expired)["status"] == "stale");
    assert_eq!(scratch.environment(&homeless)["stale_reason"], "worktree_missing");
    let said = scratch.run(["cleanup", "--stale"]).succeeded();
    let line = |id: &str| said.lines().find(|line| line.contains(id)).unwrap_or_default().to_owned();
    assert!(line(&expired).contains("stale: its TTL ended"), "{said}");
    assert!(line(&homeless).contains("stale: ") && line(&homeless).contains("tree"), "{said}");
    assert_eq!(scratch.environments().iter().map(id).collect::<Vec<_>>(), [stays]);
}

#[test]
fn older_than_removes_only_those_that_are() {
    let scratch = CommandLine::new(PORTALLOC);
    let id = id(&scratch.create(&[]));
    let run = scratch.run(["cleanup", "--older-than", "1d"]);
    assert!(run.stderr.contains("nothing to remove"), "{run:?}");
    assert_eq!(scratch.environments().len(), 1);
    until("it is older than a millisecond", || {
        let said = scratch.run(["cleanup", "--older-than", "1ms"]).succeeded();
        said.contains(&id) && said.contains("older than 1ms")
    });
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_worktree_narrows_every_selection() {
    let scratch = CommandLine::new(PORTALLOC);
    let here = id(&scratch.create(&["--ttl", "1ms"]));
    let there = scratch.elsewhere();
    let there = there.to_str().unwrap();
    let other = id(&scratch.create(&["--ttl", "1ms", "--worktree", there]));
    until("the TTLs are over", || scratch.environments().iter().all(|environment| environment["status"] == "stale"));
    for selection in [&["--all"][..], &["--stale"], &["--older-than", "0s"], &["--id", &other]] {
        let narrowed = ["cleanup", "--worktree", "../temp"].iter().chain(selection);
        assert_eq!(scratch.run(narrowed).succeeded(), "", "{selection:?}");
    }
    assert_eq!(scratch.environments().len(), 2);
    scratch.run(["cleanup", "--all", "--worktree", there]).succeeded();
    assert_eq!(scratch.environments().iter().map(id).collect::<Vec<_>>(), [here]);
    scratch.run(["cleanup", "--stale", "--worktree", "."]).succeeded();
    assert_eq!(scratch.environments().len(), 0);
}

#[test]
fn one_that_a_live_process_holds_is_left() {
    let scratch = CommandLine::new(PORTALLOC);
    let request = EnvironmentRequest::new().worktree(scratch.work()).env_file(EnvFile::Worktree);
    let held = scratch.allocator().create_environment(&request).unwrap();
    let id = held.id().to_string();
    let said = scratch.run(["cleanup", "--id", &id]).failed_with(5, "in_use");
    assert!(said.contains(&id) && said.contains(&std::process::id().to_string()), "{said}");
    for selection in ["--all", "--stale"] {
        assert_eq!(scratch.run(["cleanup", selection]).succeeded(), "");
    }
    let listed = scratch.environment(&id);
    assert_eq!((listed["status"].as_str(), listed["lifetime"].as_str()), (Some("active"), Some("held")));
    assert!(held.temp_dir().exists() && held.env_file().unwrap().exists());
    drop(held);
    scratch.assert_nothing_left(&[]);
}

#[test]
fn what_is_not_the_environments_is_left_and_told() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    let victim = scratch.elsewhere().join("precious");
    fs::write(&victim, "1").unwrap();
    fs::remove_dir(path(&created, "temp_dir")).unwrap();
    std::os::unix::fs::symlink(scratch.elsewhere(), path(&created, "temp_dir")).unwrap();
    fs::write(path(&created, "env_file"), "MINE=1\n").unwrap();
    let said = scratch.run(["cleanup", "--id", &id(&created)]).succeeded();
    assert!(victim.exists() && path(&created, "temp_dir").is_symlink());
    assert_eq!(fs::read_to_string(path(&created, "env_file")).unwrap(), "MINE=1\n");
    for key in ["temp_dir", "env_file"] {
        let line = format!("left {}", path(&created, key).display());
        assert!(said.contains(&line), "{line} is missing in {said}");
    }
    assert!(!path(&created, "lock_file").exists());
}

#[test]
fn the_temp_dir_of_a_lost_record_is_swept() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--no-env-file"]);
    if rustix::fs::llistxattr(path(&created, "temp_dir"), &mut [0_u8; 256]).unwrap_or(0) == 0 {
        eprintln!("SKIPPED: no marks (extended attributes) on this file system");
        return;
    }
    rustix::fs::unlink(path(&created, "lock_file")).unwrap();
    let said = scratch.run(["cleanup", "--stale"]).succeeded();
    assert!(said.contains(path(&created, "temp_dir").to_str().unwrap()), "{said}");
    assert!(!path(&created, "temp_dir").exists());
}
