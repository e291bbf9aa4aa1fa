//! Two worktrees of one project on one machine.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::path::PathBuf;

use portalloc::LeaseRequest;
use portalloc_testkit::{CommandLine, Running};

use crate::PORTALLOC;

fn worktree(scratch: &CommandLine, parent: &str, declared: &str) -> PathBuf {
    let directory = scratch.work().join(parent).join("project");
    fs::create_dir_all(directory.join("deep/inside")).unwrap();
    fs::write(directory.join("portalloc.toml"), declared).unwrap();
    directory
}

fn start(scratch: &CommandLine, directory: &PathBuf) -> (Running, String) {
    let script = "echo $WEB_PORT $DB_PORT; exec cat";
    let mut run = scratch.command(["run", "--", "sh", "-c", script]);
    let mut run = Running::start(run.current_dir(directory));
    let ports = run.line();
    assert_eq!(ports.split(' ').count(), 2, "{ports}");
    (run, ports)
}

fn stop(run: Running) {
    assert_eq!(run.end(), (0, String::new()));
}

#[test]
fn with_the_same_project_file_they_run_side_by_side() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 4);
    let declared = "names = [\"web\", \"db\"]\n";
    let (a, b) = (worktree(&scratch, "a", declared), worktree(&scratch, "b", declared));
    let (first, ports) = start(&scratch, &a);
    let (second, others) = start(&scratch, &b.join("deep/inside"));
    assert!(ports.split(' ').all(|port| !others.contains(port)), "{ports}, {others}");
    let environments = scratch.environments();
    let trees: Vec<&str> = environments.iter().filter_map(|found| found.get("worktree_path")?.as_str()).collect();
    assert!([&a, &b].iter().all(|tree| trees.contains(&tree.canonicalize().unwrap().to_str().unwrap())), "{trees:?}");
    stop(first);
    stop(second);
    scratch.assert_no_environment_left();
}

#[test]
fn each_keeps_its_sticky_ports_in_whatever_order_they_start() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 60);
    let declared = "names = [\"web\", \"db\"]\nsticky = true\n";
    let (a, b) = (worktree(&scratch, "a", declared), worktree(&scratch, "b", declared));
    // Both would like the same ports, since the directory's name is the same.
    let (first, of_a) = start(&scratch, &a);
    let (second, of_b) = start(&scratch, &b);
    assert_ne!(of_a, of_b);
    stop(first);
    stop(second);
    for order in [[&a, &b], [&b, &a], [&b, &a], [&a, &b]] {
        let started = order.map(|directory| start(&scratch, directory));
        for ((run, ports), directory) in started.into_iter().zip(order) {
            assert_eq!(&ports, if *directory == a { &of_a } else { &of_b });
            stop(run);
        }
    }
    let (port, _) = of_a.split_once(' ').unwrap();
    let taken = scratch.allocator().lease(LeaseRequest::exact([port.parse().unwrap()])).unwrap();
    let (first, others) = start(&scratch, &a);
    assert!(!others.split(' ').any(|other| other == port), "at the price of exclusivity");
    stop(first);
    drop(taken);
    scratch.assert_no_environment_left();
}
