//! Each exit status, from the situation that it stands for.

use portalloc::LeaseRequest;
use portalloc_testkit::{CommandLine, Running, id, path, ports, run};

use crate::PORTALLOC;

#[test]
fn zero_is_done() {
    let scratch = CommandLine::new(PORTALLOC);
    for words in ["list", "reconcile", "who 1", "cleanup --stale", "version"] {
        scratch.run(words.split(' ')).succeeded();
    }
}

#[test]
fn one_is_a_failure_or_a_finding_of_validate() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&[]);
    std::fs::remove_dir(path(&created, "temp_dir")).unwrap();
    assert_eq!(scratch.run(["validate", "--id", &id(&created)]).status, 1);
    run(scratch.command(["list"]).env("PORTALLOC_DIR", "/dev/null/x")).failed(1);
}

#[test]
fn two_is_wrong_arguments() {
    let scratch = CommandLine::new(PORTALLOC);
    scratch.run(["create", "--ports", "0"]).failed_with(2, "invalid_argument");
    scratch.run(["validate", "--id", "x"]).failed_with(2, "invalid_id");
    scratch.run(["nonsense"]).failed(2);
}

#[test]
fn three_is_no_ports_or_a_deadline_that_passed() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 2);
    let lease = scratch.allocator().lease(2).unwrap();
    scratch.run(["create"]).failed(2);
    scratch.run(["create", "--ports", "1"]).failed_with(3, "pool_exhausted");
    scratch.run(["create", "--ports", "1", "--wait", "10ms"]).failed_with(3, "timeout");
    scratch.run(["create", "--specific", &lease.base_port().to_string()]).failed_with(3, "port_in_use");
    scratch.run(["wait", &lease.base_port().to_string(), "--timeout", "0s"]).failed_with(3, "timeout");
}

#[test]
fn four_is_no_such_environment() {
    let scratch = CommandLine::new(PORTALLOC);
    for words in [["validate", "--id"], ["who", "--id"], ["wait", "--id"]] {
        scratch.run([&words[..], &["0123456789ab"]].concat()).failed_with(4, "not_found");
    }
    scratch.run(["create", "--owner-pid", &i32::MAX.to_string()]).failed_with(4, "not_found");
}

#[test]
fn five_is_somebody_elses() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut running =
        Running::start(&mut scratch.command(["run", "--", "sh", "-c", "echo $ISOLATION_ID; read -r end || true"]));
    let held = running.line();
    scratch.run(["cleanup", "--id", &held]).failed_with(5, "in_use");
    running.end_input();
    assert_eq!(running.wait(), 0);
    // Another user's.
    let id = id(&scratch.create(&["--no-env-file"]));
    for words in [["cleanup", "--id"], ["validate", "--id"]] {
        let Some(mut other) = scratch.as_nobody([&words[..], &[&id]].concat()) else { return };
        let said = run(&mut other).failed_with(5, "permission_denied");
        assert!(said.contains(&id) && said.contains("belongs to user "), "{said}");
    }
    // What is only not readable is a failure.
    let denied = scratch.as_nobody(["create", "--worktree", scratch.elsewhere().to_str().unwrap()]);
    run(&mut denied.unwrap()).failed_with(1, "permission_denied");
}

#[test]
fn six_is_a_lost_lease() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "3"]);
    let port = ports(&created)[1];
    scratch.scribble(port, 0, &[0; 64]);
    let lease = scratch.allocator().lease(LeaseRequest::exact([port])).unwrap();
    assert_eq!(scratch.run(["reconcile"]).status, 6);
    assert_eq!(scratch.run(["list", "--reconcile"]).status, 6);
    drop(lease);
    // A command that succeeds has proved nothing without its ports; one that fails has its reasons.
    for (status, expected) in [(0, 6), (7, 7)] {
        let script = format!("rm -r \"$PORTALLOC_DIR\"; exit {status}");
        let said = scratch.run(["run", "--", "sh", "-c", &script]).failed_with(expected, "registry_unusable");
        assert!(said.contains(scratch.ports_file().to_str().unwrap()), "{said}");
    }
}

#[test]
fn run_has_that_of_its_command() {
    let scratch = CommandLine::new(PORTALLOC);
    for (script, expected) in [("exit 0", 0), ("exit 77", 77), ("kill -KILL $$", 137)] {
        assert_eq!(scratch.run(["run", "--", "sh", "-c", script]).status, expected, "{script}");
    }
    scratch.run(["run", "--", "no-such-program"]).failed_with(127, "not_found");
    scratch.run(["run", "--", "/"]).failed_with(126, "permission_denied");
    scratch.assert_nothing_left(&[]);
}
