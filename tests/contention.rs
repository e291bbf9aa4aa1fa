//! Many at once: no two hold a port at the same time, everybody who can be served is, and a free run is always found.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::collections::BTreeSet;
use std::sync::Mutex;

use portalloc::{ErrorCode, LeaseRequest};
use portalloc_testkit::Random;
use portalloc_tests::{Stage, judge};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// Whether `taken` leaves no run of `count` ports in the pool.
fn is_full(world: &Stage, taken: &BTreeSet<u16>, count: usize) -> bool {
    !world.ports().windows(count).any(|run| run.iter().all(|port| !taken.contains(port)))
}

#[test]
fn no_two_processes_hold_the_same_port() {
    let world = Stage::new(ACTOR, 200);
    let mut actors = world.actors(32);
    actors.iter_mut().for_each(|actor| actor.send("lease 5"));
    let mut taken = BTreeSet::new();
    let mut refused = 0;
    for actor in &mut actors {
        match actor.answer() {
            Ok(answer) => {
                for port in answer["ports"].as_array().unwrap() {
                    assert!(taken.insert(u16::try_from(port.as_u64().unwrap()).unwrap()), "{port} was given twice");
                }
                actor.ok("bind 0");
            }
            Err(failure) => {
                assert_eq!(failure.code, "pool_exhausted", "{}", failure.message);
                refused += 1;
            }
        }
    }
    // Nothing was given back, so a run that is free now was free all the time.
    assert!(refused == 0 || is_full(&world, &taken, 5), "{refused} gave up while a run was free");
    assert!(taken.len() >= 5 * 20, "{taken:?}");
}

#[test]
fn everybody_who_waits_is_served() {
    let world = Stage::new(ACTOR, 200);
    let journal = world.path().join("journal");
    let mut actors = world.actors(64);
    let command = format!("contend 5 journal {} times 8 wait 60000", journal.display());
    actors.iter_mut().for_each(|actor| actor.send(&command));
    for actor in &mut actors {
        assert_eq!(actor.answer().unwrap()["taken"], 8);
    }
    assert_eq!(judge(&journal).taken, 64 * 8);
    assert_eq!(world.allocator().census().unwrap().free, 200);
}

#[test]
fn a_pool_of_one_run_serves_one_after_the_other() {
    let world = Stage::new(ACTOR, 5);
    let journal = world.path().join("journal");
    let mut actors = world.actors(8);
    let command = format!("contend 5 journal {} times 20 wait 60000", journal.display());
    actors.iter_mut().for_each(|actor| actor.send(&command));
    for actor in &mut actors {
        assert_eq!(actor.answer().unwrap()["taken"], 20);
    }
    assert_eq!(judge(&journal).taken, 160);
}

#[test]
fn mixed_sizes_given_back_in_any_order_never_overlap() {
    let world = Stage::new(ACTOR, 120);
    let journal = world.path().join("journal");
    let mut actors = world.actors(12);
    for (seed, actor) in actors.iter_mut().enumerate() {
        let journal = journal.display();
        actor.send(&format!("contend mixed journal {journal} times 150 most 4 wait 60000 seed {seed}"));
    }
    let mut refused = 0;
    for actor in &mut actors {
        refused += actor.answer().unwrap()["refused"].as_u64().unwrap();
    }
    assert_eq!(judge(&journal).taken, 12 * 150);
    assert!(refused > 0, "the pool was never full: this test is too easy");
    assert_eq!(world.allocator().census().unwrap().free, 120);
}

#[test]
fn threads_exclude_each_other_as_processes_do() {
    let world = Stage::alone(ACTOR, 64);
    let (shared, base) = (world.allocator(), world.base());
    let holders = Mutex::new(vec![None; 64]);
    let mark = |ports: &[u16], thread: Option<usize>| {
        let mut holders = holders.lock().unwrap();
        for port in ports {
            let holder = &mut holders[usize::from(port - base)];
            assert!(thread.is_none() || holder.is_none(), "{thread:?} was given port {port} of {holder:?}");
            *holder = thread;
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..16 {
            // Half of them with an allocator of their own.
            let allocator = if thread % 2 == 0 { shared.clone() } else { world.allocator() };
            let mark = &mark;
            scope.spawn(move || {
                let mut random = Random::new(thread);
                for _ in 0..60 {
                    let wait = std::time::Duration::from_secs(60);
                    let lease = allocator.lease(LeaseRequest::run(1 + random.below(7)).wait(wait)).unwrap();
                    mark(lease.ports(), Some(usize::try_from(thread).unwrap()));
                    mark(lease.ports(), None);
                }
            });
        }
    });
    assert_eq!(shared.census().unwrap().free, 64);
}

/// Fills the pool but for a run of five: islands of at most four ports elsewhere, made by leases.
fn all_but(world: &Stage, first: usize, random: &mut Random) -> Vec<portalloc::Lease> {
    let allocator = world.allocator();
    let mut leases = Vec::new();
    let mut island = 0;
    let (before, after) = (first.checked_sub(1), first + 5);
    for (index, port) in world.ports().iter().enumerate() {
        let in_run = (first..first + 5).contains(&index);
        let beside_run = Some(index) == before || index == after;
        if in_run || (!beside_run && island < 4 && random.below(3) > 0) {
            island += 1;
            continue;
        }
        island = 0;
        leases.push(allocator.lease(LeaseRequest::exact([*port])).unwrap());
    }
    leases
}

#[test]
fn the_only_free_run_is_found_wherever_it_is() {
    let world = Stage::alone(ACTOR, 61);
    let mut actors = world.actors(3);
    for first in 0..=56 {
        let leases = all_but(&world, first, &mut Random::new(u64::try_from(first).unwrap()));
        let run = &world.ports()[first..first + 5];
        for actor in &mut actors {
            assert_eq!(actor.lease("lease 5"), run, "{leases:?}");
            actor.fails("lease 6", "pool_exhausted");
            actor.ok(&format!("release {first}"));
        }
    }
}

#[test]
fn runs_of_one_size_fill_a_pool_without_a_gap_if_they_come_one_by_one() {
    let world = Stage::alone(ACTOR, 60);
    for round in 0..60 {
        let mut held = Vec::new();
        for number in 0..20 {
            // Each by an allocator of its own, as processes are: its search begins at a random place.
            let lease = world.allocator().lease(LeaseRequest::run(3));
            held.push(lease.unwrap_or_else(|error| panic!("round {round}, run {number} of 20: {error}")));
        }
    }
}

#[test]
fn of_many_who_ask_for_the_last_run_one_gets_it() {
    let world = Stage::alone(ACTOR, 40);
    let mut actors = world.actors(8);
    let mut given = [0; 8];
    for round in 0..60 {
        let first = (round * 7) % 36;
        let _leases = all_but(&world, first, &mut Random::new(u64::try_from(round).unwrap()));
        actors.iter_mut().for_each(|actor| actor.send("lease 5"));
        let mut winners = Vec::new();
        for (index, actor) in actors.iter_mut().enumerate() {
            match actor.answer() {
                Ok(_) => winners.push(index),
                Err(failure) => assert_eq!(failure.code, "pool_exhausted", "{}", failure.message),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        for winner in winners {
            actors[winner].ok(&format!("release {}", given[winner]));
            given[winner] += 1;
        }
    }
}

#[test]
fn of_many_who_ask_for_the_same_ports_one_gets_them() {
    let world = Stage::new(ACTOR, 12);
    let mut actors = world.actors(8);
    let mut given = [0; 8];
    let listed: Vec<String> = world.ports().iter().rev().step_by(2).map(ToString::to_string).collect();
    for round in 0..60 {
        actors.iter_mut().for_each(|actor| actor.send(&format!("these {}", listed.join(" "))));
        let mut winners = Vec::new();
        for (index, actor) in actors.iter_mut().enumerate() {
            match actor.answer() {
                Ok(_) => winners.push(index),
                Err(failure) => assert_eq!(failure.code, "port_in_use", "{}", failure.message),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        for winner in winners {
            actors[winner].ok(&format!("release {}", given[winner]));
            given[winner] += 1;
        }
    }
}

#[test]
fn a_wait_that_is_over_says_so() {
    let world = Stage::alone(ACTOR, 5);
    let lease = world.allocator().lease(3).unwrap();
    let start = std::time::Instant::now();
    let limit = std::time::Duration::from_millis(300);
    let error = world.allocator().lease(LeaseRequest::run(5).wait(limit)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    assert!(start.elapsed() >= limit);
    assert_eq!(error.census().unwrap().held, 3);
    let error = world.allocator().lease(LeaseRequest::exact(lease.ports().to_vec()).wait(limit)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
}
