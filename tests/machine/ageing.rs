//! What cleans old files out of /tmp leaves the registry alone: tried with the real systemd-tmpfiles.

use std::process::{Command, Stdio};
use std::time::Instant;

use portalloc_testkit::PATIENCE;

use super::Machine;

fn is_installed() -> bool {
    let found = Command::new("systemd-tmpfiles").arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(found || std::env::var_os("CI").is_none(), "systemd-tmpfiles is missing, but CI must run this test");
    if !found {
        eprintln!("SKIPPED: there is no systemd-tmpfiles");
    }
    found
}

/// Cleans /tmp of whatever is older than a second, and that no file of the system's excepts, until that has removed what was
/// made last.
fn age(machine: &Machine) {
    machine.sh("touch /tmp/decoy; mkdir /tmp/empty");
    machine.sh("{ echo 'd /tmp 1777 root root 1s'; cat /etc/tmpfiles.d/*.conf 2> /dev/null || true; } > /mnt/age.conf");
    let start = Instant::now();
    while !machine.sh("ls -d /tmp/decoy /tmp/empty 2> /dev/null || true").is_empty() {
        assert!(start.elapsed() < PATIENCE, "systemd-tmpfiles cleans nothing");
        machine.sh("systemd-tmpfiles --clean /mnt/age.conf");
    }
}

#[test]
fn a_registry_in_tmp_does_not_age() {
    if !is_installed() {
        return;
    }
    let Some(machine) = Machine::new(10) else { return };
    let mut user = machine.user(1000);
    let kept = user.ok("kept ports 3 file none");
    let held = user.ok("held ports 3 file none");
    user.ok("lease 3 sticky key");
    let before = machine.sh("find /tmp/portalloc | sort");
    assert!(
        before.contains("/envs/.keep") && before.contains("/sticky/.keep") && before.contains("/tmp/portalloc/.keep")
    );
    age(&machine);
    assert_eq!(machine.sh("find /tmp/portalloc | sort"), before);
    machine.user(1001).fails("lease 2", "pool_exhausted");
    for made in [kept, held] {
        let failures = user.ok(&format!("validate {}", made["id"].as_str().unwrap()));
        assert_eq!(failures["failures"], serde_json::json!({}), "{failures}");
    }
}

#[test]
fn after_a_setup_temp_dirs_do_not_age_either() {
    if !is_installed() {
        return;
    }
    let Some(mut machine) = Machine::new(5) else { return };
    machine.first.ok("setup");
    let mut user = machine.user(1000);
    // In the system's own temp directory, as without TMPDIR.
    let made = user.ok("kept ports 2 file none");
    let name = made["temp_dir"].as_str().unwrap().rsplit('/').next().unwrap();
    machine.sh(&format!("mkdir /tmp/{name}; echo 1 > /tmp/{name}/precious"));
    age(&machine);
    assert_eq!(machine.sh(&format!("cat /tmp/{name}/precious")), "1");
}
