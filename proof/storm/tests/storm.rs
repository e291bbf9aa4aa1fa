//! A short storm of Rust and the command line, which needs nothing besides cargo. All languages: `make test-storm`.

use std::process::Command;

/// The storm, of so many kills.
fn storm(kills: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portalloc-storm"));
    command
        .args(["--only", "rust,shell", "--workers", "6", "--kills", kills, "--epoch", "100"])
        .env_remove("STORM_CLI");
    command
}

#[test]
fn nothing_is_left_by_processes_that_are_killed_at_random_instants() {
    let output = storm("300").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_removed_registry_and_a_truncated_ports_file_leave_nothing_either() {
    let output = storm("300").args(["--faults", "removed-registry,truncated-ports"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_full_disk_and_a_limit_of_descriptors_leave_nothing_either_nor_does_the_storm() {
    let place = tempfile::tempdir().unwrap();
    let output =
        storm("100").args(["--faults", "full-disk,descriptors", "--place"]).arg(place.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<_> = std::fs::read_dir(place.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_storm_that_sees_too_little_fails() {
    // Nobody is killed, so nothing is shown.
    // A failure keeps the storm's directory.
    let place = tempfile::tempdir().unwrap();
    let output = storm("0").arg("--place").arg(place.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("too little"), "{said}");
}
