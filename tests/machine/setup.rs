//! `setup` makes the registry root's, and changes its place while others lease.

use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use portalloc_testkit::PATIENCE;
use portalloc_tests::{Actor, judge};

use super::Machine;

#[test]
fn only_root_may_and_nobody_else_can_undo_it() {
    let Some(mut machine) = Machine::new(5) else { return };
    let failure = machine.user(1000).fails("setup", "permission_denied");
    assert!(failure.message.contains("sudo"), "{}", failure.message);
    assert_eq!(machine.first.ok("setup")["directory"], "/run/portalloc");
    assert_eq!(machine.first.ok("setup")["directory"], "/run/portalloc", "again does no harm");
    assert_eq!(machine.sh("cat /etc/tmpfiles.d/portalloc.conf | grep -c '^[dx] '"), "4");
    assert_eq!(machine.sh("find /run/portalloc -not -user 0"), "");

    let mut user = machine.user(1000);
    assert_eq!(user.ok("place"), "/run/portalloc");
    user.ok("kept ports 2 file none");
    machine.sh("setpriv --reuid 1001 --clear-groups rm -rf /run/portalloc 2> /dev/null || true");
    machine.user(1000).fails("lease 4", "pool_exhausted");
    machine.user(1001).fails("unsetup", "permission_denied");

    let failure = machine.first.fails("unsetup", "in_use");
    assert!(failure.message.contains("kept by environment"), "{}", failure.message);
    user.ok("cleanup all");
    assert_eq!(machine.first.ok("unsetup")["directory"], "/tmp/portalloc");
    assert_eq!(machine.first.ok("unsetup")["directory"], "/tmp/portalloc", "again does no harm");
    assert_eq!(machine.sh("ls -d /run/portalloc* /etc/tmpfiles.d/* 2> /dev/null || true"), "");
    assert_eq!(machine.user(1000).ok("place"), "/tmp/portalloc");
}

#[test]
fn it_changes_nothing_while_ports_are_held_or_kept() {
    let Some(mut machine) = Machine::new(5) else { return };
    let mut user = machine.user(1000);
    let kept = user.ok("kept ports 2 file none");
    let failure = machine.first.fails("setup", "in_use");
    assert!(failure.message.contains(kept["id"].as_str().unwrap()), "{}", failure.message);
    user.ok("cleanup all");
    user.ok("lease 2");
    let failure = machine.first.fails("setup", "in_use");
    assert!(failure.message.contains(&format!("PID {}", user.pid())), "{}", failure.message);
    assert_eq!(machine.sh("ls -d /run/portalloc* /etc/tmpfiles.d 2> /dev/null || true"), "");
    // What it looked at is let go.
    user.ok("scattered 3");
    user.ok("release 0");
    user.ok("release 1");
    machine.first.ok("setup");
    assert_eq!(user.ok("place"), "/tmp/portalloc", "which it had open");
    user.ok("lease 5");
    assert_eq!(machine.user(1001).fails("lease 1", "pool_exhausted").code, "pool_exhausted");
}

#[test]
fn what_is_over_is_no_reason_to_refuse_and_is_told() {
    let Some(mut machine) = Machine::new(5) else { return };
    let mut user = machine.user(1000);
    user.ok("kept ports 2 file none ttl 1");
    let start = Instant::now();
    while user.ok("list")["environments"][0]["status"] != "stale" {
        assert!(start.elapsed() < PATIENCE, "its time is over");
    }
    assert_eq!(machine.first.ok("setup")["left"], "/tmp/portalloc");
}

#[test]
fn at_the_next_boot_it_is_gone_and_until_then_everybody_keeps_their_ports() {
    let Some(mut machine) = Machine::new(5) else { return };
    machine.first.ok("setup");
    let mut holder = machine.user(1000);
    holder.ok("lease 2");
    machine.user(1000).ok("kept ports 2 file none");
    machine.first.fails("unsetup", "in_use");
    machine.user(1001).fails("unsetup_at_next_boot", "permission_denied");
    machine.sh("test -e /etc/tmpfiles.d/portalloc.conf");

    assert_eq!(machine.first.ok("unsetup_at_next_boot")["until_then"], "/run/portalloc");
    assert_eq!(machine.first.ok("unsetup_at_next_boot")["until_then"], "/run/portalloc", "again does no harm");
    assert_eq!(machine.sh("ls -A /etc/tmpfiles.d"), "");
    assert_eq!(holder.ok("place"), "/run/portalloc");
    machine.user(1001).ok("lease 1");
    machine.user(1001).fails("lease 4", "pool_exhausted");

    // What a boot does to /run.
    machine.sh("rm -r /run/portalloc");
    assert_eq!(machine.first.ok("unsetup_at_next_boot")["until_then"], "/tmp/portalloc");
    assert_eq!(machine.user(1001).ok("place"), "/tmp/portalloc");
}

#[test]
fn sixteen_processes_lease_while_it_changes_the_place_a_hundred_times() {
    let Some(mut machine) = Machine::new(48) else { return };
    // One for root and for an ordinary user.
    let journal = machine.world.path().join("journal");
    std::fs::write(&journal, "").unwrap();
    std::fs::set_permissions(&journal, PermissionsExt::from_mode(0o666)).unwrap();
    let mut actors: Vec<_> =
        (0..16).map(|number| if number % 2 == 0 { machine.actor() } else { machine.user(1000) }).collect();
    let send = |actor: &mut Actor| {
        actor.send(&format!("contend mixed journal {} times 50 wait 60000 pause 20", journal.display()));
    };
    actors.iter_mut().for_each(send);
    let start = Instant::now();
    let mut changes = 0;
    while changes < 100 {
        let command = if changes % 2 == 0 { "setup" } else { "unsetup" };
        match machine.first.ask(command) {
            Ok(_) => changes += 1,
            // Somebody has ports just now.
            Err(failure) => assert_eq!(failure.code, "in_use", "{failure:?}"),
        }
        assert!(start.elapsed() < PATIENCE * 3, "only {changes} changes");
        for actor in &mut actors {
            if actor.has_answered() {
                actor.answer().unwrap();
                send(actor);
            }
        }
    }
    for actor in &mut actors {
        actor.answer().unwrap();
    }
    let verdict = judge(&journal);
    assert!(verdict.taken >= 16 * 50, "{verdict:?}");
    assert!(verdict.holders.is_empty(), "{verdict:?}");
}
