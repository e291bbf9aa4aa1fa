//! Arguments that are wrong: status 2, a message that names the value, and nothing done.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use portalloc_testkit::{CommandLine, run};

use crate::PORTALLOC;

/// Runs what must be refused, and fails unless the message has `part` and nothing is left.
fn refused(scratch: &CommandLine, arguments: &[&str], part: &str) {
    let said = scratch.run(arguments).failed(2);
    assert!(said.contains(part), "{arguments:?}: {part:?} is missing in\n{said}");
    assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn numbers_of_ports() {
    let scratch = CommandLine::new(PORTALLOC);
    for bad in ["0", "-3", "70000", "61", "abc", "99999999999999999999", "1.5", "0x5", " 5"] {
        refused(&scratch, &["create", "--ports", bad], bad);
        refused(&scratch, &["create", &format!("--ports={bad}")], bad);
    }
    refused(&scratch, &["create", "--ports", ""], "--ports");
}

#[test]
fn more_ports_than_the_pool_has_says_how_many_it_has() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 7);
    refused(&scratch, &["create", "--ports", "8"], "has 7");
}

#[test]
fn pools_and_exclusions() {
    let scratch = CommandLine::new(PORTALLOC);
    for bad in ["29999-20000", "0-5", "0", "1-70000", "words", "20000-", "-5", "20000--20005", "20000,,20001", "2e4"] {
        refused(&scratch, &["create", &format!("--pool={bad}")], bad);
        refused(&scratch, &["create", &format!("--exclude={bad}")], bad);
        let said = run(scratch.command(["create"]).env("PORTALLOC_POOL", bad)).failed_with(2, "invalid_argument");
        assert!(said.contains(bad), "{said}");
        let said = run(scratch.command(["create"]).env("PORTALLOC_EXCLUDE", bad)).failed_with(2, "invalid_argument");
        assert!(said.contains(bad), "{said}");
    }
    refused(&scratch, &["create", "--pool", ""], "pool");
    refused(&scratch, &["create", "--pool", "22010-22020", "--exclude", "22000-22100"], "22010-22020");
    run(scratch.command(["create"]).env("PORTALLOC_POOL", OsStr::from_bytes(b"2\xff")))
        .failed_with(2, "invalid_argument");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn isolation_ids() {
    let scratch = CommandLine::new(PORTALLOC);
    let victim = scratch.elsewhere().join("victim.json");
    fs::write(&victim, "1").unwrap();
    let long = "a".repeat(200);
    let ids = ["../../x", "x/../victim", "", &long, "0123456789AB", "0123456789ab\n", "0123456789a", "é23456789ab"];
    for bad in ids {
        for command in ["validate", "cleanup"] {
            let said = scratch.run([command, "--id", bad]).failed_with(2, "invalid_id");
            let named = format!("{:?}", bad.chars().take(40).collect::<String>());
            assert!(said.contains(named.trim_end_matches('"')), "{said}");
        }
    }
    assert!(victim.exists());
    scratch.assert_nothing_left(&[]);
}

#[test]
fn names() {
    let scratch = CommandLine::new(PORTALLOC);
    let long = "x".repeat(65);
    for bad in ["1web", "a b", "a=b", "a;b", "$(touch executed)", "a\nb", "é", "-a", &long] {
        // Escaped as in the message, and cut where that is cut.
        let shown: String = format!("{bad:?}").chars().take(60).collect();
        refused(&scratch, &["create", &format!("--names={bad}")], &shown);
    }
    for (bad, variable) in [("web,web", "WEB_PORT"), ("web,WEB", "WEB_PORT"), ("my-db,my_db", "MY_DB_PORT")] {
        refused(&scratch, &["create", "--names", bad], variable);
    }
    refused(&scratch, &["create", "--names", ""], "\"\"");
    refused(&scratch, &["create", "--names", "a,,b"], "\"\"");
    refused(&scratch, &["create", "--ports", "1", "--names", "a,b"], "2 names for 1 port");
}

#[test]
fn worktrees() {
    let scratch = CommandLine::new(PORTALLOC);
    let missing = scratch.path().join("missing");
    let file = scratch.elsewhere().join("file");
    fs::write(&file, "").unwrap();
    for bad in [&missing, &file] {
        let bad = bad.to_str().unwrap();
        refused(&scratch, &["create", "--worktree", bad], bad);
    }
    refused(&scratch, &["create", "--worktree", ""], "--worktree");
    let odd = scratch.elsewhere().join(OsStr::from_bytes(b"not-\xff-text"));
    fs::create_dir(&odd).unwrap();
    let mut command = scratch.command([OsStr::new("create"), OsStr::new("--worktree"), odd.as_os_str()]);
    run(&mut command).failed_with(2, "invalid_argument");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn times() {
    let scratch = CommandLine::new(PORTALLOC);
    for option in ["--ttl", "--wait"] {
        for bad in ["abc", "5", "2 fortnights", "99999999999999999999d"] {
            refused(&scratch, &["create", option, bad], bad);
        }
        refused(&scratch, &["create", &format!("{option}=-5s")], "-5s");
    }
    refused(&scratch, &["create", "--ttl", "0s"], "0s");
    refused(&scratch, &["create", "--ttl", "9000years"], "9999");
    refused(&scratch, &["cleanup", "--older-than", "old"], "old");
}

#[test]
fn instance_ids_owners_and_env_files() {
    let scratch = CommandLine::new(PORTALLOC);
    refused(&scratch, &["create", "--instance-id", "a\nb"], "a\\nb");
    refused(&scratch, &["create", "--instance-id", &"i".repeat(257)], "iiii");
    for bad in ["0", "-1", "abc", "99999999999"] {
        let run = scratch.run(["create", &format!("--owner-pid={bad}")]);
        // That process 0 runs nowhere is as true as that its number is wrong.
        let status = if bad == "0" { run.status } else { 2 };
        assert!([2, 4].contains(&status), "{run:?}");
        assert!(run.failed(status).contains(bad));
    }
    refused(&scratch, &["create", "--env-file", ""], "--env-file");
    refused(&scratch, &["create", "--env-file", "/"], "\"/\"");
    refused(&scratch, &["create", "--env-file", ".."], "\"..\"");
}

#[test]
fn commands_and_options() {
    let scratch = CommandLine::new(PORTALLOC);
    refused(&scratch, &[], "Usage");
    refused(&scratch, &["make"], "make");
    refused(&scratch, &["create", "--prots", "5"], "--prots");
    refused(&scratch, &["create", "extra"], "extra");
    refused(&scratch, &["create", "--format", "yaml"], "yaml");
    refused(&scratch, &["list", "--format", "yaml"], "yaml");
    refused(&scratch, &["reconcile", "--all"], "--all");
    refused(&scratch, &["completions", "csh"], "csh");
    refused(&scratch, &["completions"], "SHELL");
    refused(&scratch, &["man", "make"], "make");
    refused(&scratch, &["validate", "--id"], "--id");
}

#[test]
fn options_that_exclude_each_other() {
    let scratch = CommandLine::new(PORTALLOC);
    for bad in [
        "create --json --shell",
        "create --json --format fish",
        "create --shell --format fish",
        "create --env-file x --no-env-file",
        "create --ports 1 --ports 2",
        "list --json --format json",
        "cleanup --all --stale",
        "cleanup --all --id 0123456789ab",
        "cleanup --stale --older-than 1d",
    ] {
        refused(&scratch, &bad.split(' ').collect::<Vec<_>>(), "cannot be used");
    }
    refused(&scratch, &["cleanup"], "--all");
    refused(&scratch, &["cleanup", "--worktree", "."], "--all");
}
