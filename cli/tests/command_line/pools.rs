//! Which ports are given out: options, variables, exhaustion and waiting for ports to come free.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::fs;
use std::process::Stdio;

use portalloc_testkit::{CommandLine, Run, id, ports, run, until};

use crate::PORTALLOC;

#[test]
fn the_option_is_stronger_than_the_variable() {
    let scratch = CommandLine::new(PORTALLOC);
    let first_half = scratch.part_of_pool(0, 29);
    let second_half = scratch.part_of_pool(30, 59);
    let mut command = scratch.command(["create", "--json", "--ports", "20", "--pool", &second_half]);
    let given = ports(&run(command.env("PORTALLOC_POOL", &first_half)).json());
    assert!(given.iter().all(|port| scratch.ports()[30..].contains(port)), "{given:?}");
    let mut command = scratch.command(["create", "--json", "--ports", "20"]);
    let given = ports(&run(command.env("PORTALLOC_POOL", &first_half)).json());
    assert!(given.iter().all(|port| scratch.ports()[..30].contains(port)), "{given:?}");
}

#[test]
fn excluded_ports_are_not_given_out() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 20);
    let excluded = format!("{},{}", scratch.ports()[0], scratch.part_of_pool(6, 19));
    let given = ports(&scratch.create(&["--ports", "5", "--exclude", &excluded]));
    assert_eq!(given, scratch.ports()[1..6]);
    let mut command = scratch.command(["create", "--json", "--ports", "10"]);
    let given = ports(&run(command.env("PORTALLOC_EXCLUDE", scratch.part_of_pool(0, 9))).json());
    assert_eq!(given, scratch.ports()[10..]);
}

#[test]
fn known_ports_are_not_given_out() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--ports", "1", "--pool", "27017"]).failed_with(2, "invalid_argument");
    assert!(said.contains("27017") && said.contains("MongoDB"), "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn an_exhausted_pool_says_what_its_ports_do() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 5);
    scratch.create(&["--ports", "4"]);
    let said = scratch.run(["create", "--ports", "3"]).failed_with(3, "pool_exhausted");
    for part in [scratch.part_of_pool(0, 4).as_str(), "of 5 ports", "0 are held", "4 kept", "portalloc list"] {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
    assert_eq!(scratch.environments().len(), 1);
}

#[test]
fn a_run_is_found_if_there_is_just_one() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 60);
    let third = |first| id(&scratch.create(&["--ports", "20", "--pool", &scratch.part_of_pool(first, first + 19)]));
    let [_, middle, _] = [0, 20, 40].map(third);
    scratch.run(["create", "--ports", "20"]).failed_with(3, "pool_exhausted");
    scratch.run(["cleanup", "--id", &middle]).succeeded();
    assert_eq!(ports(&scratch.create(&["--ports", "20"])), scratch.ports()[20..40]);
}

#[test]
fn who_waits_is_served_when_another_is_cleaned_up() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 5);
    let first = scratch.create(&["--no-env-file"]);
    let mut command = scratch.command(["create", "--json", "--wait", "5m", "--no-env-file"]);
    let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let descriptors = format!("/proc/{}/fd", waiting.id());
    until("the registry is open", || {
        let mut targets = fs::read_dir(&descriptors).unwrap().flatten().flat_map(|entry| fs::read_link(entry.path()));
        targets.any(|target| target.starts_with(scratch.registry()) && target.ends_with("ports"))
    });
    assert_eq!(waiting.try_wait().unwrap(), None, "the pool is full, and yet it ended");
    scratch.run(["cleanup", "--id", &id(&first)]).succeeded();
    until("it is served", || waiting.try_wait().unwrap().is_some());
    let second = Run::from(waiting.wait_with_output().unwrap()).json();
    assert_eq!(ports(&second), ports(&first));
}

#[test]
fn who_waits_in_vain_is_told_when_the_time_is_over() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 5);
    scratch.create(&[]);
    let said = scratch.run(["create", "--wait", "50ms"]).failed_with(3, "timeout");
    assert!(said.contains("50ms") && said.contains("5 kept"), "{said}");
    assert_eq!(scratch.environments().len(), 1);
}

/// The kernel's ephemeral range.
fn ephemeral() -> (u16, u16) {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
    let mut ends = text.split_whitespace().map(|end| end.parse().unwrap());
    (ends.next().unwrap(), ends.next().unwrap())
}

#[test]
fn a_pool_inside_the_ephemeral_range_is_taken_with_a_warning() {
    let scratch = CommandLine::new(PORTALLOC);
    let (first, last) = ephemeral();
    let pool = format!("{}-{}", last - 999, last);
    let run = scratch.run(["create", "--json", "--pool", &pool]);
    for part in ["warning", &pool, &format!("{first}-{last}")] {
        assert!(run.stderr.contains(part), "{part} is missing in {}", run.stderr);
    }
    assert!(ports(&run.json()).iter().all(|port| (last - 999..=last).contains(port)));
}

#[test]
fn a_pool_that_reaches_into_the_ephemeral_range_is_cut_with_a_warning() {
    let scratch = CommandLine::new(PORTALLOC);
    let (first, _) = ephemeral();
    let pool = format!("{}-{}", first - 100, first + 99);
    let run = scratch.run(["create", "--json", "--ports", "20", "--pool", &pool]);
    assert!(run.stderr.contains("warning") && run.stderr.contains(&pool), "{}", run.stderr);
    assert!(ports(&run.json()).iter().all(|port| *port < first));
}
