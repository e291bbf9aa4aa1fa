//! `portalloc create`: what comes out for a program, and what it leaves in the file system.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use portalloc_testkit::{CommandLine, id, names, path, ports, run};
use serde_json::json;

use crate::PORTALLOC;

#[test]
fn json_has_the_documented_keys() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "4", "--names", "postgres,redis"]);
    let id = id(&created);
    assert!(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{id}");
    let work = scratch.work().canonicalize().unwrap();
    assert_eq!(created["compose_project_name"], format!("portalloc-{id}"));
    assert_eq!(path(&created, "worktree_path"), work);
    assert_eq!(path(&created, "temp_dir"), scratch.temp().join(format!("portalloc-{id}")));
    assert_eq!(path(&created, "lock_file"), scratch.record(&id));
    assert_eq!(path(&created, "env_file"), work.join(".env.isolation"));
    assert_eq!(created["names"], json!(["postgres", "redis"]));
    let mut keys: Vec<&String> = created["ports"].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["base_port", "count", "ports"]);
    assert_eq!(created["ports"]["count"], 4);
    assert_eq!(created["ports"]["base_port"], ports(&created)[0]);
}

#[test]
fn ports_are_consecutive_distinct_and_of_the_pool() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut all = Vec::new();
    for count in [1, 5, 20] {
        let given = ports(&scratch.create(&["--ports", &count.to_string()]));
        assert_eq!(given.len(), count);
        assert!(given.windows(2).all(|pair| pair[1] == pair[0] + 1), "{given:?}");
        assert!(given.iter().all(|port| scratch.ports().contains(port)), "{given:?}");
        all.extend(given);
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 26);
}

#[test]
fn five_ports_by_default() {
    let scratch = CommandLine::new(PORTALLOC);
    assert_eq!(ports(&scratch.create(&[])).len(), 5);
}

#[test]
fn temp_dir_and_record_are_the_users_alone() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    let mode = |key| fs::symlink_metadata(path(&created, key)).unwrap().permissions().mode() & 0o7777;
    assert!(path(&created, "temp_dir").is_dir());
    assert_eq!((mode("temp_dir"), mode("lock_file")), (0o700, 0o1600));
    assert_eq!(names(path(&created, "temp_dir")), [""; 0]);
}

#[test]
fn the_env_file_gives_a_shell_the_same_values() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "3", "--names", "web,db"]);
    let script = r#"set -a; . ./.env.isolation; set +a
        env | grep -E '^(ISOLATION_ID|COMPOSE_PROJECT_NAME|TEMP_DIR|PORT_BASE|PORT_COUNT|.*_PORT|PORT_[0-9]+)=' | sort"#;
    let said = run(&mut scratch.sh(script)).succeeded();
    let (id, ports) = (id(&created), ports(&created));
    let mut expected = vec![
        format!("ISOLATION_ID={id}"),
        format!("COMPOSE_PROJECT_NAME=portalloc-{id}"),
        format!("TEMP_DIR={}", path(&created, "temp_dir").display()),
        format!("PORT_BASE={}", ports[0]),
        "PORT_COUNT=3".to_owned(),
        format!("WEB_PORT={}", ports[0]),
        format!("DB_PORT={}", ports[1]),
        format!("PORT_2={}", ports[2]),
    ];
    let mut said: Vec<&str> = said.lines().collect();
    expected.sort();
    said.sort_unstable();
    assert_eq!(said, expected);
}

#[test]
fn a_second_one_leaves_the_first_ones_env_file_and_says_so() {
    let scratch = CommandLine::new(PORTALLOC);
    let first = scratch.create(&[]);
    let before = fs::read(path(&first, "env_file")).unwrap();
    let second = scratch.run(["create", "--json"]);
    let said = second.stderr.clone();
    let second = second.json();
    let beside = path(&second, "env_file");
    assert_eq!(beside.file_name().unwrap(), format!(".env.isolation.{}", id(&second)).as_str());
    assert!(said.contains(&beside.display().to_string()), "{said}");
    assert!(fs::read_to_string(&beside).unwrap().contains(&format!("ISOLATION_ID={}\n", id(&second))));
    assert_eq!(fs::read(path(&first, "env_file")).unwrap(), before);
}

#[test]
fn the_env_file_of_an_environment_that_is_gone_is_replaced() {
    let scratch = CommandLine::new(PORTALLOC);
    let first = scratch.create(&[]);
    fs::rename(path(&first, "env_file"), scratch.path().join("copy")).unwrap();
    scratch.run(["cleanup", "--id", &id(&first)]).succeeded();
    fs::rename(scratch.path().join("copy"), scratch.work().join(".env.isolation")).unwrap();
    let second = scratch.create(&[]);
    assert_eq!(names(scratch.work()), [".env.isolation"]);
    assert!(fs::read_to_string(path(&second, "env_file")).unwrap().contains(&id(&second)));
}

#[test]
fn a_handwritten_env_file_survives() {
    let scratch = CommandLine::new(PORTALLOC);
    let own = scratch.work().join(".env.isolation");
    fs::write(&own, "MINE=1\n").unwrap();
    let created = scratch.create(&[]);
    assert_ne!(path(&created, "env_file"), own.canonicalize().unwrap());
    scratch.run(["cleanup", "--all"]).succeeded();
    assert_eq!(fs::read_to_string(own).unwrap(), "MINE=1\n");
    scratch.assert_nothing_left(&[".env.isolation"]);
}

#[test]
fn a_link_in_the_place_of_the_env_file_is_not_followed() {
    let scratch = CommandLine::new(PORTALLOC);
    let (precious, missing) = (scratch.elsewhere().join("precious"), scratch.elsewhere().join("missing"));
    fs::write(&precious, "MINE=1\n").unwrap();
    for target in [&precious, &missing] {
        let link = scratch.work().join(".env.isolation");
        std::os::unix::fs::symlink(target, &link).unwrap();
        let created = scratch.create(&[]);
        assert_ne!(path(&created, "env_file"), link.canonicalize().unwrap_or(link.clone()));
        scratch.run(["create", "--env-file", ".env.isolation"]).failed_with(1, "env_file_exists");
        scratch.run(["cleanup", "--all"]).succeeded();
        assert_eq!(fs::read_link(&link).unwrap(), *target);
        scratch.assert_nothing_left(&[".env.isolation"]);
        rustix::fs::unlink(&link).unwrap();
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "MINE=1\n");
    assert!(!missing.exists(), "a file was made through a link");
}

#[test]
fn an_env_file_goes_where_it_is_told() {
    let scratch = CommandLine::new(PORTALLOC);
    let wanted = scratch.elsewhere().join("my env");
    let created = scratch.create(&["--env-file", wanted.to_str().unwrap()]);
    assert_eq!(path(&created, "env_file"), wanted);
    assert!(fs::read_to_string(&wanted).unwrap().contains(&id(&created)));
    assert_eq!(names(scratch.work()), [""; 0]);
    scratch.run(["cleanup", "--id", &id(&created)]).succeeded();
    assert_eq!(names(scratch.elsewhere()), [""; 0]);
}

#[test]
fn an_env_file_that_is_there_already_is_an_error_and_nothing_is_left() {
    let scratch = CommandLine::new(PORTALLOC);
    let taken = scratch.work().join("mine");
    fs::write(&taken, "MINE=1\n").unwrap();
    let said = scratch.run(["create", "--env-file", "mine"]).failed_with(1, "env_file_exists");
    assert!(said.contains(taken.to_str().unwrap()), "{said}");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "MINE=1\n");
    scratch.assert_nothing_left(&["mine"]);
}

#[test]
fn a_living_environments_env_file_is_taken_too() {
    let scratch = CommandLine::new(PORTALLOC);
    let first = scratch.create(&["--env-file", "shared"]);
    let said = scratch.run(["create", "--env-file", "shared"]).failed_with(1, "env_file_exists");
    assert!(said.contains(&id(&first)), "{said}");
    assert_eq!(scratch.environments().len(), 1);
}

#[test]
fn no_env_file_if_so_asked() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--no-env-file"]);
    assert!(created["env_file"].is_null(), "{created}");
    assert_eq!(names(scratch.work()), [""; 0]);
}

#[test]
fn a_worktree_may_be_named_from_elsewhere() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut command = scratch.command(["create", "--json", "--worktree", "../work", "--instance-id", "worker 3"]);
    let created = run(command.current_dir(scratch.elsewhere())).json();
    assert_eq!(path(&created, "worktree_path"), scratch.work().canonicalize().unwrap());
    assert_eq!(created["instance_id"], "worker 3");
    assert_eq!(scratch.environment(&id(&created))["instance_id"], "worker 3");
    assert_eq!(names(scratch.work()), [".env.isolation"]);
    assert_eq!(names(scratch.elsewhere()), [""; 0]);
}

#[test]
fn for_people_it_says_how_long_where_and_how_to_clean_up() {
    let scratch = CommandLine::new(PORTALLOC);
    let run = scratch.run(["create", "--names", "postgres"]);
    assert_eq!(run.stderr, "");
    let said = run.succeeded();
    let environment = scratch.environments().remove(0);
    let id = id(&environment);
    for part in [
        "until you clean it up".to_owned(),
        environment["ports"][0].to_string(),
        path(&environment, "temp_dir").display().to_string(),
        path(&environment, "env_file").display().to_string(),
        format!("portalloc cleanup --id {id}"),
        "POSTGRES_PORT".to_owned(),
    ] {
        assert!(said.contains(&part), "{part} is missing in\n{said}");
    }
}
