//! How long an environment lives: until its TTL is over, or its owner ends.

use std::process::Command;

use portalloc_testkit::{CommandLine, id, path, ports, run, until};
use serde_json::Value;

use crate::PORTALLOC;

#[test]
fn it_is_stale_after_its_ttl_and_not_before() {
    let scratch = CommandLine::new(PORTALLOC);
    let long = id(&scratch.create(&["--ttl", "1h"]));
    let short = id(&scratch.create(&["--ttl", "1ms"]));
    until("the TTL is over", || scratch.environment(&short)["status"] == "stale");
    assert_eq!(scratch.environment(&short)["stale_reason"], "expired");
    assert_eq!(scratch.environment(&long)["status"], "active");
    let removed = scratch.run(["cleanup", "--stale"]).succeeded();
    assert!(removed.contains(&short) && !removed.contains(&long), "{removed}");
    assert!(removed.contains("TTL"), "the reason is missing in {removed}");
}

#[test]
fn ports_of_a_stale_one_are_given_out_again() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 4);
    let first = scratch.create(&["--ports", "4", "--ttl", "1ms"]);
    until("the TTL is over", || scratch.environment(&id(&first))["status"] == "stale");
    assert_eq!(ports(&scratch.create(&["--ports", "4"])), ports(&first));
}

#[test]
fn it_is_stale_once_its_owner_has_ended() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = owner.id();
    let created = scratch.create(&["--owner-pid", &pid.to_string()]);
    let before = scratch.environment(&id(&created));
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_eq!(before["status"], "active");
    assert_eq!(before["holder"]["pid"], pid);
    let after = scratch.environment(&id(&created));
    assert_eq!((&after["status"], &after["stale_reason"]), (&Value::from("stale"), &Value::from("owner_ended")));
    assert!(path(&created, "temp_dir").exists(), "nothing is removed before a cleanup");
    let removed = scratch.run(["cleanup", "--stale"]).succeeded();
    assert!(removed.contains(&pid.to_string()), "{removed}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_shell_may_own_one() {
    let scratch = CommandLine::new(PORTALLOC);
    let script = "portalloc create --owner-pid $$ >/dev/null; portalloc list --json";
    let said = run(&mut scratch.sh(script)).json();
    assert_eq!(said["environments"][0]["status"], "active");
    assert_eq!(scratch.environments()[0]["stale_reason"], "owner_ended");
}

#[test]
fn an_owner_that_does_not_run_is_not_found() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let pid = gone.id().to_string();
    let said = scratch.run(["create", "--owner-pid", &pid]).failed_with(4, "not_found");
    assert!(said.contains(&pid), "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn both_ends_are_told_to_people() {
    let scratch = CommandLine::new(PORTALLOC);
    let pid = std::process::id().to_string();
    let said = scratch.run(["create", "--ttl", "1h", "--owner-pid", &pid]).succeeded();
    let expires = scratch.environments()[0]["expires_at"].as_str().unwrap().to_owned();
    assert!(said.contains(&expires) && said.contains(&pid), "{said}");
}
