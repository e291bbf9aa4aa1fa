//! The env file in the worktree, which others may want too: the user, and other environments at the same moment.

use std::fs;
use std::path::Path;

use portalloc_testkit::names;
use portalloc_tests::Stage;
use serde_json::Value;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn two_in_one_worktree_do_not_touch_each_others_env_file() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    let (one, two) = (actor.ok("kept"), actor.ok("kept"));
    let beside = format!(".env.isolation.{}", text(&two, "id"));
    assert_eq!(names(world.work()), [".env.isolation", beside.as_str()]);
    assert!(fs::read_to_string(text(&one, "env_file")).unwrap().contains(text(&one, "id")));
    actor.fails(&format!("kept file {}", text(&one, "env_file")), "pool_exhausted");
    actor.ok(&format!("cleanup {}", text(&one, "id")));
    assert_eq!(names(world.work()), [beside.as_str()]);
    assert_eq!(actor.ok(&format!("validate {}", text(&two, "id")))["valid"], true);
    actor.ok("cleanup all");
    assert_eq!(names(world.work()), [""; 0]);
}

#[test]
fn one_that_cannot_be_looked_at_keeps_its_record() {
    let world = Stage::new(ACTOR, 10);
    let (mut actor, mut other) = (world.actor(), world.actor());
    let made = actor.ok("kept");
    // From none on that can be opened, one more at a time: each step of a cleanup meets the limit once.
    let mut failures = 0;
    for limit in 3.. {
        actor.ok(&format!("limit {limit}"));
        let failed = actor.ask(&format!("cleanup {}", text(&made, "id"))).err();
        actor.ok("limit 1024");
        match failed {
            None => break,
            Some(failure) => assert!(["io", "registry_unusable"].contains(&failure.code.as_str()), "{failure:?}"),
        }
        assert!(world.record(text(&made, "id")).exists(), "whoever cleans up again must find it");
        failures += 1;
    }
    assert!(failures > 1, "only {failures} limits");
    assert_eq!(names(world.work()), [""; 0], "it was removed whole");
    assert_eq!(other.ok("list")["environments"], Value::Array(Vec::new()));
}

#[test]
fn a_file_of_somebody_else_is_never_overwritten_or_removed() {
    let world = Stage::new(ACTOR, 10);
    let own = world.work().join(".env.isolation");
    fs::write(&own, "SECRET=1\n").unwrap();
    let mut actor = world.actor();
    let made = actor.ok("kept");
    assert_ne!(Path::new(text(&made, "env_file")), own);
    actor.fails(&format!("kept file {}", own.display()), "env_file_exists");
    assert_eq!(names(world.temp()).len(), 1, "what failed left nothing");
    assert_eq!(world.allocator().census().unwrap().kept, 5);
    actor.ok("cleanup all");
    actor.ok("cleanup stale");
    assert_eq!(fs::read_to_string(&own).unwrap(), "SECRET=1\n");
    assert_eq!(names(world.work()), [".env.isolation"]);
    // What the user makes of an env file later is the user's.
    rustix::fs::unlink(&own).unwrap();
    let made = actor.ok("kept");
    assert_eq!(Path::new(text(&made, "env_file")).file_name(), own.file_name());
    fs::write(&own, "SECRET=2\n").unwrap();
    let report = actor.ok(&format!("cleanup {}", text(&made, "id")));
    assert!(report["removed"][0]["left"][0].as_str().unwrap().contains("was not written by portalloc"));
    assert_eq!(fs::read_to_string(&own).unwrap(), "SECRET=2\n");
}

#[test]
fn one_that_names_a_live_environment_is_kept_whatever_its_other_lines_say() {
    let world = Stage::new(ACTOR, 10);
    let own = world.work().join(".env.isolation");
    let mut actor = world.actor();
    let made = actor.ok("kept");
    let genuine = fs::read_to_string(&own).unwrap();
    let record = genuine.lines().find(|line| line.starts_with("# Record: ")).unwrap();
    let elsewhere = format!("# Record: /nowhere/{}.json", text(&made, "id"));
    for line in ["# Record: ", "# Record: /", "# Record: relative.json", "", &elsewhere] {
        let edited = genuine.replace(record, line);
        fs::write(&own, &edited).unwrap();
        let two = actor.ok("kept");
        assert_eq!(fs::read_to_string(&own).unwrap(), edited, "{line:?}");
        actor.ok(&format!("cleanup {}", text(&two, "id")));
    }
    // Once it is gone, only a line that portalloc wrote says so.
    actor.ok(&format!("cleanup {}", text(&made, "id")));
    for (line, is_replaced) in [("# Record: ", false), ("# Record: /", false), (record, true), (&elsewhere, true)] {
        let edited = genuine.replace(record, line);
        fs::write(&own, &edited).unwrap();
        let two = actor.ok("kept");
        assert_eq!(fs::read_to_string(&own).unwrap() != edited, is_replaced, "{line:?}");
        actor.ok(&format!("cleanup {}", text(&two, "id")));
    }
}

#[test]
fn makers_in_one_worktree_never_overwrite_each_others_env_file() {
    let world = Stage::new(ACTOR, 40);
    let mut makers = world.actors(4);
    for round in 0..150 {
        makers.iter_mut().for_each(|maker| maker.send("kept ports 1"));
        let made: Vec<Value> = makers.iter_mut().map(|maker| maker.answer().unwrap()).collect();
        for environment in &made {
            let validation = makers[0].ok(&format!("validate {}", text(environment, "id")));
            assert_eq!(validation["valid"], true, "round {round}: {}: {validation}", environment["id"]);
        }
        assert_eq!(makers[0].ok("cleanup all")["removed"].as_array().unwrap().len(), 4, "round {round}");
    }
    assert_eq!(names(world.work()), [""; 0]);
}

#[test]
fn a_path_that_leads_nowhere_any_more_is_no_reason_to_stay() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    for (what, becomes) in [
        ("its directory became a file", "rm -r sub; touch sub"),
        ("its directory became a link in a circle", "rm -r sub; ln -s sub sub"),
        ("its directory is gone", "rm -r sub"),
    ] {
        let sub = world.work().join("sub");
        fs::create_dir(&sub).unwrap();
        let made = actor.ok(&format!("kept file {}", sub.join("env").display()));
        assert!(world.program("sh").args(["-c", becomes]).status().unwrap().success());
        actor.ok(&format!("cleanup {}", text(&made, "id")));
        assert_eq!(actor.ok("list")["environments"], Value::Array(Vec::new()), "{what}");
        assert!(world.program("rm").args(["-f", "sub"]).status().unwrap().success());
    }
}

#[test]
fn one_at_too_long_a_path_is_an_error_and_nothing_is_left() {
    let world = Stage::new(ACTOR, 10);
    let mut actor = world.actor();
    // As long as a path may be, so that a longer name beside it may not.
    let mut directory = world.work();
    while directory.as_os_str().len() < 3800 {
        directory.push("a".repeat(200));
    }
    fs::create_dir_all(&directory).unwrap();
    for room in 0..40 {
        let path = directory.join("b".repeat(4095 - directory.as_os_str().len() - 1 - room));
        let made = actor.ask(&format!("kept file {}", path.display()));
        if let Ok(made) = &made {
            actor.ok(&format!("cleanup {}", text(made, "id")));
        }
        assert_eq!(actor.ok("list")["environments"], Value::Array(Vec::new()), "{room}: {made:?}");
        assert_eq!(names(&directory), [""; 0], "{room}: {made:?}");
        assert_eq!(names(world.temp()), [""; 0], "{room}: {made:?}");
    }
}
