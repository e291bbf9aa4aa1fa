//! `portalloc validate`: which part of an environment is not as it should be.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests: a failure is a failed test")]

use std::fs;
use std::net::TcpListener;

use portalloc_testkit::{CommandLine, Run, id, path, ports, run, until};
use serde_json::Value;

use crate::PORTALLOC;

/// The checks that failed, by name, with the reasons.
fn failures(run: Run) -> Vec<(String, String)> {
    assert_eq!(run.status, 1, "{run:?}");
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(said["valid"], false);
    let failed = said["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    failed.map(|check| (text(&check["name"]), text(&check["failure"]))).collect()
}

fn failed(scratch: &CommandLine, created: &Value, check: &str) -> String {
    let id = id(created);
    let said = scratch.run(["validate", "--id", &id]);
    assert!(said.status == 1 && said.stdout.contains("NOT valid") && said.stdout.contains("FAILED"), "{said:?}");
    let mut failures = failures(scratch.run(["validate", "--json", "--id", &id]));
    assert_eq!(failures.len(), 1, "{failures:?}");
    let (name, why) = failures.remove(0);
    assert_eq!(name, check);
    assert!(said.stdout.contains(&why), "{why} is missing in {}", said.stdout);
    why
}

#[test]
fn one_that_is_whole_is_valid_from_any_directory() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "2"]);
    let id = id(&created);
    let said = run(scratch.command(["validate", "--json", "--id", &id]).current_dir(scratch.elsewhere())).json();
    assert_eq!((&said["valid"], &said["isolation_id"]), (&Value::from(true), &Value::from(id.as_str())));
    let checks: Vec<&str> =
        said["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(checks, ["record", "temp_dir", "env_file", "lease"]);
    let said = scratch.run(["validate", "--id", &id]).succeeded();
    assert!(said.contains(&format!("{id} is valid")), "{said}");
}

#[test]
fn a_missing_temp_dir_is_found() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    fs::remove_dir(path(&created, "temp_dir")).unwrap();
    let why = failed(&scratch, &created, "temp_dir");
    assert!(why.contains(path(&created, "temp_dir").to_str().unwrap()), "{why}");
}

#[test]
fn a_missing_env_file_is_found() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    rustix::fs::unlink(path(&created, "env_file")).unwrap();
    failed(&scratch, &created, "env_file");
}

#[test]
fn an_env_file_of_another_environment_is_found() {
    let scratch = CommandLine::new(PORTALLOC);
    let (created, other) = (scratch.create(&[]), scratch.create(&[]));
    fs::copy(path(&other, "env_file"), path(&created, "env_file")).unwrap();
    let why = failed(&scratch, &created, "env_file");
    assert!(why.contains(&id(&other)), "{why}");
}

#[test]
fn a_broken_record_is_found() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    for broken in ["", "{", "[1]", "{\"isolation_id\": 5}"] {
        fs::write(path(&created, "lock_file"), broken).unwrap();
        failed(&scratch, &created, "record");
    }
}

#[test]
fn a_record_that_names_another_directory_is_broken() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    let text = fs::read_to_string(path(&created, "lock_file")).unwrap();
    let mut record: Value = serde_json::from_str(&text).unwrap();
    record["temp_dir"] = scratch.elsewhere().to_str().unwrap().into();
    fs::write(path(&created, "lock_file"), record.to_string()).unwrap();
    failed(&scratch, &created, "record");
    scratch.run(["cleanup", "--id", &id(&created)]).succeeded();
    assert!(scratch.elsewhere().exists(), "a directory that is not portalloc's was removed");
}

#[test]
fn missing_labels_are_found() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "3"]);
    let port = ports(&created)[1];
    scratch.scribble(port, 0, &[0; 64]);
    let why = failed(&scratch, &created, "lease");
    assert!(why.contains(&port.to_string()) && why.contains("reconcile"), "{why}");
}

#[test]
fn one_that_is_stale_is_not_valid() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ttl", "1ms"]);
    until("the TTL is over", || scratch.environment(&id(&created))["status"] == "stale");
    let why = failed(&scratch, &created, "lease");
    assert!(why.contains("TTL"), "{why}");
}

#[test]
fn ports_with_a_server_are_shown_and_are_no_failure() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "3"]);
    let ports = ports(&created);
    let server = TcpListener::bind(("127.0.0.1", ports[1])).unwrap();
    let said = scratch.run(["validate", "--json", "--id", &id(&created)]).json();
    let in_use = |said: &Value| -> Vec<u64> {
        let ports = said["ports"].as_array().unwrap().iter();
        ports.filter(|port| port["in_use"] == true).map(|port| port["port"].as_u64().unwrap()).collect()
    };
    assert_eq!(in_use(&said), [u64::from(ports[1])]);
    assert_eq!(said["ports"].as_array().unwrap().len(), 3);
    let said = scratch.run(["validate", "--id", &id(&created)]).succeeded();
    let line = said.lines().find(|line| line.contains(&ports[1].to_string())).unwrap();
    assert!(line.contains("in use"), "{said}");
    drop(server);
    // A process that another test is just starting may have a copy of the socket until it executes its program.
    until("the port is free again", || {
        in_use(&scratch.run(["validate", "--json", "--id", &id(&created)]).json()).is_empty()
    });
}

#[test]
fn one_that_does_not_exist_is_not_found() {
    let scratch = CommandLine::new(PORTALLOC);
    for options in [&["--id", "0123456789ab"][..], &["--json", "--id", "0123456789ab"]] {
        let said = scratch.run(["validate"].iter().chain(options)).failed_with(4, "not_found");
        assert!(said.contains("0123456789ab"), "{said}");
    }
}

#[test]
fn isolation_id_names_it_where_no_option_does() {
    let scratch = CommandLine::new(PORTALLOC);
    let (one, other) = (id(&scratch.create(&[])), id(&scratch.create(&[])));
    let by_variable = run(scratch.command(["validate"]).env("ISOLATION_ID", &one)).succeeded();
    assert!(by_variable.contains(&one), "{by_variable}");
    let both = run(scratch.command(["validate", "--id", &other]).env("ISOLATION_ID", &one)).succeeded();
    assert!(both.contains(&other) && !both.contains(&one), "{both}");
    for variable in [None, Some("")] {
        let mut command = scratch.command(["validate"]);
        if let Some(value) = variable {
            command.env("ISOLATION_ID", value);
        }
        let said = run(&mut command).failed_with(2, "invalid_argument");
        assert!(said.contains("--id") && said.contains("ISOLATION_ID"), "{said}");
    }
    run(scratch.command(["validate"]).env("ISOLATION_ID", "../x")).failed_with(2, "invalid_id");
}
