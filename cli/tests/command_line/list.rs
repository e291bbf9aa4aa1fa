//! `portalloc list`: who has which ports, for people and for programs.

use std::fs;
use std::process::Command;

use portalloc_testkit::{CommandLine, Process, id, path, ports, run, until};
use serde_json::{Value, json};

use crate::PORTALLOC;
use crate::output::terminal;

/// As on a terminal for which `COLUMNS` is that.
fn table(scratch: &CommandLine, columns: &str) -> String {
    run(terminal(scratch, 80, &["list"]).env("COLUMNS", columns)).succeeded().replace('\r', "")
}

#[test]
fn an_empty_registry_has_nothing_to_show() {
    let scratch = CommandLine::new(PORTALLOC);
    assert_eq!(scratch.run(["list"]).succeeded(), "No environments and no leases.\n");
    assert_eq!(scratch.run(["list", "--json"]).json(), json!({"environments": [], "leases": []}));
    assert_eq!(scratch.run(["list", "--format", "json"]).json(), json!({"environments": [], "leases": []}));
}

#[test]
fn json_has_what_create_said() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--names", "web,db", "--instance-id", "a", "--ttl", "1h"]);
    let listed = scratch.environment(&id(&created));
    for key in
        ["worktree_path", "temp_dir", "env_file", "lock_file", "names", "instance_id", "expires_at", "created_at"]
    {
        assert_eq!(listed[key], created[key], "{key}");
    }
    assert_eq!(listed["ports"], created["ports"]["ports"]);
    assert_eq!((&listed["status"], &listed["lifetime"]), (&json!("active"), &json!("kept")));
    assert_eq!((&listed["stale_reason"], &listed["holder"]), (&Value::Null, &Value::Null));
    assert_eq!(listed["user_id"], rustix::process::getuid().as_raw());
}

#[test]
fn it_is_the_same_from_any_directory_and_oldest_first() {
    let scratch = CommandLine::new(PORTALLOC);
    let ids: Vec<String> = (0..3).map(|_| id(&scratch.create(&[]))).collect();
    let said = run(scratch.command(["list", "--json"]).current_dir(scratch.elsewhere())).json();
    assert_eq!(said, scratch.run(["list", "--json"]).json());
    let listed = said["environments"].as_array().unwrap();
    let created: Vec<&str> = listed.iter().map(|environment| environment["created_at"].as_str().unwrap()).collect();
    assert!(created.is_sorted(), "{created:?}");
    assert!(ids.iter().all(|id| listed.iter().any(|environment| environment["isolation_id"] == id.as_str())));
}

#[test]
fn the_table_fits_eighty_columns() {
    let scratch = CommandLine::new(PORTALLOC);
    let options = ["--no-env-file", "--worktree", "/", "--names", "postgres,redis,api"];
    let named = scratch.create(&options);
    let sleep = Process::start(Command::new("sleep").arg("1000")).unwrap();
    let owner = sleep.id().to_string();
    let owned = scratch.create(&["--no-env-file", "--worktree", "/", "--owner-pid", &owner]);
    let stale = scratch.create(&["--no-env-file", "--worktree", "/", "--ttl", "1ms"]);
    until("the TTL is over", || scratch.environment(&id(&stale))["status"] == "stale");
    let said = table(&scratch, "80");
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    for head in ["ID", "STATUS", "PORTS", "AGE", "HOLDER", "WORKTREE"] {
        assert!(said.lines().next().unwrap().contains(head), "{head} is missing in\n{said}");
    }
    let row = |created: &Value| said.lines().find(|line| line.starts_with(&id(created))).unwrap().to_owned();
    let range = format!("{}-{}", ports(&named)[0], ports(&named)[2]);
    assert!(row(&named).contains("active") && row(&named).contains(&range), "{said}");
    assert!(["postgres", "redis", "api"].iter().all(|name| said.contains(name)), "{said}");
    assert!(row(&owned).contains(&owner), "{said}");
    assert!(row(&stale).contains("stale"), "{said}");
    let expired = scratch.environment(&id(&stale))["expires_at"].as_str().unwrap().to_owned();
    assert!(said.contains(&format!("{}  stale: its TTL ended at {expired}", id(&stale))), "{said}");
}

#[test]
fn a_long_path_never_breaks_an_id_or_the_ports() {
    let scratch = CommandLine::new(PORTALLOC);
    let tree = scratch.path().join("a-work-tree-with-quite-a-long-name/in-a-directory-with-another-one/and-a-third");
    fs::create_dir_all(&tree).unwrap();
    let created = scratch.create(&["--worktree", tree.to_str().unwrap(), "--names", "postgres,redis,object-store"]);
    let said = table(&scratch, "80");
    let range = format!("{}-{}", ports(&created)[0], ports(&created)[2]);
    let row = said.lines().find(|line| line.starts_with(&id(&created))).unwrap_or_default();
    assert!(row.contains("active") && row.contains(&range), "{said}");
}

#[test]
fn any_width_is_survived() {
    let scratch = CommandLine::new(PORTALLOC);
    let id = id(&scratch.create(&[]));
    for columns in ["1", "20", "65535", "0", "-5", "wide", ""] {
        assert!(table(&scratch, columns).contains("STATUS") || columns == "1" || columns == "20", "{columns}");
    }
    assert!(table(&scratch, "1000").contains(&id));
}

#[test]
fn leases_of_other_processes_are_shown_with_their_holder() {
    let scratch = CommandLine::new(PORTALLOC);
    let lease = scratch.allocator().lease(3).unwrap();
    let said = scratch.run(["list", "--json"]).json();
    assert_eq!(said["environments"], json!([]));
    assert_eq!(said["leases"].as_array().unwrap().len(), 1);
    assert_eq!(said["leases"][0]["ports"], json!(lease.ports()));
    assert_eq!(said["leases"][0]["holder"]["pid"], std::process::id());
    let said = table(&scratch, "80");
    let range = format!("{}-{}", lease.ports()[0], lease.ports()[2]);
    assert!(said.contains(&range) && said.contains(&std::process::id().to_string()), "{said}");
    drop(lease);
    assert_eq!(scratch.run(["list", "--json"]).json()["leases"], json!([]));
}

#[test]
fn a_broken_record_is_shown_with_its_ports() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--no-env-file"]);
    fs::write(path(&created, "lock_file"), "{").unwrap();
    let listed = scratch.environment(&id(&created));
    assert_eq!((&listed["status"], &listed["stale_reason"]), (&json!("stale"), &json!("record_broken")));
    assert_eq!(listed["ports"], created["ports"]["ports"]);
    assert!(table(&scratch, "80").contains(&id(&created)));
}

/// Paths and names of processes may be anyone's: in a terminal they must neither act nor look like other rows.
#[test]
fn hostile_paths_send_nothing_to_the_terminal() {
    let scratch = CommandLine::new(PORTALLOC);
    let tree = scratch.path().join("x\u{1b}[2Jy\n0123456789ab  active");
    fs::create_dir(&tree).unwrap();
    let created = scratch.create(&["--no-env-file", "--worktree", tree.to_str().unwrap()]);
    let validated = scratch.run(["validate", "--id", &id(&created)]).succeeded();
    let listed = table(&scratch, "300");
    let removed = scratch.run(["cleanup", "--all"]).succeeded();
    for said in [listed, validated, removed] {
        assert!(!said.contains('\u{1b}'), "{said:?}");
        assert!(!said.lines().any(|line| line.trim_start().starts_with("0123456789ab")), "{said:?}");
    }
}

#[test]
fn hostile_process_names_send_nothing_to_the_terminal() {
    let scratch = CommandLine::new(PORTALLOC);
    let program = scratch.elsewhere().join("x\u{1b}[2Jy\nz");
    std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
    let mut owner = Command::new(&program).arg("1000").spawn().unwrap();
    scratch.create(&["--no-env-file", "--owner-pid", &owner.id().to_string()]);
    let said = table(&scratch, "300");
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(said.contains(&owner.id().to_string()) && !said.contains('\u{1b}'), "{said:?}");
    assert!(!said.lines().any(|line| line.trim_start().starts_with('z')), "{said:?}");
}
