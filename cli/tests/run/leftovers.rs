//! What killed runs leave, and who removes it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use portalloc::EnvironmentRequest;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc_testkit::{CommandLine, Running, can_unshare, names, run, until};
use rustix::process::Signal;

use crate::PORTALLOC;

/// Runs that are killed together with their commands. Their temp directories, of the names that are returned, stay.
fn killed(scratch: &CommandLine, count: usize) -> Vec<String> {
    let script = "exec 3<&0; trap 'echo ready' USR1; echo $ISOLATION_ID; cat <&3 & wait; wait";
    let start = || {
        let mut run = Running::start(&mut scratch.command(["run", "--ports", "1", "--", "sh", "-c", script]));
        let id = run.line();
        // Once it forwards signals, it has begun to remove what others left, in a thread.
        run.signal(Signal::USR1);
        assert_eq!(run.line(), "ready");
        let threads = format!("/proc/{}/task", run.pid());
        until("it has removed what others left", || fs::read_dir(&threads).is_ok_and(|threads| threads.count() == 1));
        (run, id)
    };
    // All of them first: a run would remove what those before it left.
    let runs: Vec<_> = (0..count).map(|_| start()).collect();
    let kill = |(mut run, id): (Running, String)| {
        run.kill();
        run.end_input();
        until("its command has ended, too", || scratch.environment(&id).get("status").is_some_and(|is| is == "stale"));
        format!("portalloc-{id}")
    };
    runs.into_iter().map(kill).collect()
}

#[test]
fn the_next_run_or_create_removes_what_a_killed_one_left() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 20);
    for arguments in [&["run", "--", "true"][..], &["create", "--json", "--no-env-file"]] {
        let left = killed(&scratch, 1).remove(0);
        assert!(scratch.temp().join(&left).is_dir());
        scratch.run(arguments).succeeded();
        until("it is gone", || !scratch.temp().join(&left).exists());
    }
    scratch.run(["cleanup", "--all"]).succeeded();
    scratch.assert_no_environment_left();
}

#[test]
fn a_run_removes_a_handful_while_its_command_runs() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 40);
    let left = killed(&scratch, 6);
    let remaining = || left.iter().filter(|name| scratch.temp().join(name).exists()).count();
    let run = Running::start(&mut scratch.command(["run", "--", "cat"]));
    until("four are gone", || remaining() == 2);
    assert_eq!(run.end().0, 0);
    assert_eq!(remaining(), 2, "the rest is another command's");
    scratch.run(["run", "--", "true"]).succeeded();
    until("the rest is gone", || remaining() == 0);
    scratch.assert_no_environment_left();
}

#[test]
fn a_lease_removes_nothing() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 20);
    let left = killed(&scratch, 1).remove(0);
    drop(scratch.allocator().lease(5).unwrap());
    drop(scratch.allocator().create_environment(&EnvironmentRequest::new().ports(1)).unwrap());
    assert!(scratch.temp().join(&left).is_dir());
    scratch.run(["cleanup", "--stale"]).succeeded();
    scratch.assert_no_environment_left();
}

#[test]
fn expired_environments_and_those_of_another_mount_namespace_are_left_to_a_cleanup() {
    if !can_unshare(&["-m"]) {
        return;
    }
    let scratch = CommandLine::with_pool_of(PORTALLOC, 20);
    let left = killed(&scratch, 1).remove(0);
    let mut elsewhere = scratch.program("unshare");
    run(elsewhere.args(["-m", PORTALLOC, "run", "--", "true"])).succeeded();
    assert!(Path::new(&scratch.temp().join(&left)).is_dir(), "its path means something else there");
    scratch.run(["run", "--", "true"]).succeeded();
    until("it is gone", || !scratch.temp().join(&left).exists());

    let expired = scratch.create(&["--ttl", "1ms", "--no-env-file"]);
    let id = expired["isolation_id"].as_str().unwrap();
    until("its time is over", || scratch.environment(id)["status"] == "stale");
    scratch.run(["run", "--", "true"]).succeeded();
    assert_eq!(names(scratch.temp()), [format!("portalloc-{id}")]);
    scratch.run(["cleanup", "--stale"]).succeeded();
    scratch.assert_no_environment_left();
}

#[test]
fn a_limit_may_be_as_large_as_numbers_are() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 20);
    let left = killed(&scratch, 1).remove(0);
    let all = Cleanup::new(Selection::Abandoned).limit(usize::MAX, Duration::MAX);
    assert_eq!(scratch.allocator().cleanup(&all).unwrap().removed.len(), 1);
    assert!(!scratch.temp().join(&left).exists());
    scratch.assert_no_environment_left();
}
