//! Machines whose kernel gives away unusual ports itself: where the default pool goes then, and what is warned of.

use portalloc_testkit::{CommandLine, Run, own_network, ports, run, skip};
use serde_json::Value;

use crate::PORTALLOC;

const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";
const RESERVED: &str = "/proc/sys/net/ipv4/ip_local_reserved_ports";

/// `portalloc` on a machine that `prepare` has tuned, without a pool of its own.
fn tuned(prepare: &str, arguments: &[&str]) -> Option<Run> {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 1);
    let Some(mut command) = own_network(prepare) else {
        skip("no network namespace can be made here");
        return None;
    };
    scratch.prepare(&mut command, scratch.pool());
    Some(run(command.arg(PORTALLOC).args(arguments).env_remove("PORTALLOC_POOL")))
}

fn leased(run: Run) -> Vec<u16> {
    ports(&run.json())
}

#[test]
fn the_default_pool_avoids_a_wide_ephemeral_range() {
    for (range, (first, last)) in
        [("15000 65000", (10000, 14999)), ("10000 65535", (1024, 9999)), ("1024 25999", (26000, 29999))]
    {
        let Some(run) = tuned(&format!("echo {range} > {EPHEMERAL}"), &["create", "--json", "-p", "20"]) else {
            return;
        };
        assert_eq!(run.stderr, "", "{range}");
        let ports = leased(run);
        assert!(ports.iter().all(|port| (first..=last).contains(port)), "{range}: {ports:?}");
    }
}

#[test]
fn an_ephemeral_range_that_leaves_nothing_is_told_once() {
    let Some(run) = tuned(&format!("echo 1024 65535 > {EPHEMERAL}"), &["create", "--json", "-p", "20"]) else { return };
    let warnings: Vec<_> = run.stderr.lines().filter(|line| line.contains("warning")).collect();
    assert!(matches!(warnings[..], [line] if line.contains("1024-65535") && line.contains("bind(0)")), "{warnings:?}");
    assert!(leased(run).iter().all(|port| (20000..=29999).contains(port)));
}

#[test]
fn reserved_ports_count_beside_a_zero() {
    let prepare = format!("echo 0,25000-25008 > {RESERVED}");
    let Some(run) = tuned(&prepare, &["create", "--json", "-p", "1", "--pool", "25000-25009"]) else { return };
    assert_eq!(leased(run), [25009]);
}

#[test]
fn offsets_stay_outside_the_ephemeral_range_while_they_can() {
    let offsets = ["create", "--json", "--offsets", "0,1,10000", "--pool"];
    let lease = |pool: &str| tuned(&format!("echo 32768 60999 > {EPHEMERAL}"), &[&offsets[..], &[pool]].concat());
    let Some(run) = lease("22765-23999") else { return };
    assert_eq!(run.stderr, "");
    assert!(leased(run)[2] < 32768, "+10000");
    let Some(run) = lease("23000-23999") else { return };
    assert!(run.stderr.contains("in the ephemeral range 32768-60999"), "{}", run.stderr);
    assert!(leased(run)[2] >= 33000);
}

#[test]
fn named_ports_in_the_ephemeral_range_are_leased_with_a_warning() {
    let prepare = format!("echo 32768 60999 > {EPHEMERAL}; echo 31005 > {RESERVED}");
    let Some(run) = tuned(&prepare, &["create", "--json", "--specific", "40000,31005,31006"]) else { return };
    for part in ["warning", "40000 in the ephemeral range 32768-60999", "31005 in ip_local_reserved_ports"] {
        assert!(run.stderr.contains(part), "{part} is missing in {}", run.stderr);
    }
    let result: Value = run.json();
    assert_eq!(ports(&result), [40000, 31005, 31006]);
}
