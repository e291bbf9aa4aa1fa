//! Where the registry is: chosen by what is there, never by whether it works.

use super::Machine;

fn sorted(mut ports: Vec<u16>) -> Vec<u16> {
    ports.sort_unstable();
    ports
}

#[test]
fn it_is_in_run_only_if_that_is_roots_sticky_and_everybodys() {
    let Some(machine) = Machine::new(5) else { return };
    for (what, make, is_taken) in [
        ("set up by root", "mkdir -m 1777 /run/portalloc", true),
        ("without the sticky bit", "mkdir -m 777 /run/portalloc", false),
        ("root's alone", "mkdir -m 755 /run/portalloc", false),
        ("another user's", "mkdir -m 1777 /run/portalloc; chown 1000 /run/portalloc", false),
        ("a link", "mkdir -m 1777 /run/elsewhere; ln -s elsewhere /run/portalloc", false),
        ("a file", "touch /run/portalloc; chmod 1777 /run/portalloc", false),
    ] {
        machine.sh(make);
        let expected = if is_taken { "/run/portalloc" } else { "/tmp/portalloc" };
        assert_eq!(machine.user(1000).ok("place"), expected, "{what}");
        assert_eq!(machine.actor().ok("place"), expected, "{what}");
        machine.sh("rm -rf /run/portalloc /run/elsewhere");
    }
}

#[test]
fn roots_is_known_in_a_user_namespace_that_does_not_know_root() {
    let Some(machine) = Machine::new(5) else { return };
    machine.sh("mkdir -m 1777 /run/portalloc");
    // None of its users is mapped, so every owner looks like nobody.
    let mut inside = portalloc_tests::Actor::spawn(machine.command(&["unshare", "-U", "/mnt/actor"]));
    assert_eq!(inside.ok("place"), "/run/portalloc");
    // Where nobody is a user, a directory of nobody is one of that user's.
    machine.sh("chown 65534 /run/portalloc");
    assert_eq!(machine.actor().ok("place"), "/tmp/portalloc");
}

#[test]
fn one_that_cannot_be_written_is_an_error_and_no_reason_to_take_another() {
    let Some(machine) = Machine::new(5) else { return };
    machine.sh("mkdir -m 1777 /run/portalloc; mount --bind /run/portalloc /run/portalloc; mount -o remount,ro,bind /run/portalloc");
    for mut actor in [machine.actor(), machine.user(1000)] {
        let failure = actor.fails("lease 1", "registry_unusable");
        assert!(failure.message.contains("ReadWritePaths=/run/portalloc"), "{}", failure.message);
        assert!(failure.message.contains("mount"), "{}", failure.message);
    }
}

#[test]
fn users_share_it_and_a_logout_takes_nothing_of_it_away() {
    let Some(machine) = Machine::new(10) else { return };
    let (mut one, mut two) = (machine.user(1000), machine.user(1001));
    let kept = one.ok("kept ports 3 file none");
    let held = two.lease("scattered 7");
    // As systemd-logind does at the last logout of a user (RemoveIPC=yes).
    machine.sh("find /dev/shm -user 1000 -delete");
    let mut other = machine.user(1002);
    other.fails("lease 1", "pool_exhausted");
    assert_eq!(other.ok("list")["leases"][0]["ports"], serde_json::json!(sorted(held)));
    assert_eq!(one.ok(&format!("validate {}", kept["id"].as_str().unwrap()))["valid"], true);
}
