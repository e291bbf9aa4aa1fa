//! A crowd of those languages that need no package, `make test-crowd` being that of all; and the witness's control.

#![expect(clippy::unwrap_used, reason = "a test: a failure is a failed test")]

use std::process::{Command, Output};

use serde_json::Value;

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portalloc-crowd")).args(args).output().unwrap()
}

#[test]
fn no_two_leases_share_a_port() {
    let scratch = tempfile::tempdir().unwrap();
    let json = scratch.path().join("crowd.json");
    let done = run(&["leases", "--total", "10000", "--languages", "rust,cli", "--json", json.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let written: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let result = &written["result"];
    assert_eq!(result["overlaps"], 0);
    assert!(result["leases"].as_u64().unwrap() >= 10_000, "{result}");
    // A note when a port is taken, and one when it is given back.
    assert!(result["notes_heard"].as_u64().unwrap() >= 20_000, "{result}");
    for contender in result["contenders"].as_array().unwrap() {
        assert!(contender["leases"].as_u64().unwrap() > 0, "{contender}");
    }
    let phases: Vec<&str> =
        result["phases"].as_array().unwrap().iter().filter_map(|phase| phase["phase"].as_str()).collect();
    assert_eq!(phases, ["wide", "narrow", "squeezed", "single port"]);
    assert_eq!(result["phases"][3]["most_ports_held"], 1);
}

#[test]
fn the_witness_sees_overlaps_where_ports_are_not_held() {
    let done = run(&["control", "--total", "20000"]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && said.ends_with("the witness sees: ok\n"), "{done:?}");
}
