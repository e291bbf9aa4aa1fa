//! `portalloc reconcile`: labels and records agree again after somebody's hand was in the registry.

use portalloc::LeaseRequest;
use portalloc_testkit::{CommandLine, id, path, ports, run};
use serde_json::Value;

use crate::PORTALLOC;

#[test]
fn a_whole_registry_needs_no_repair() {
    let scratch = CommandLine::new(PORTALLOC);
    let id = id(&scratch.create(&[]));
    let lease = scratch.allocator().lease(2).unwrap();
    assert_eq!(scratch.run(["reconcile"]).succeeded(), "0 labels repaired\n");
    assert_eq!(scratch.environment(&id)["status"], "active");
    assert_eq!(scratch.run(["list", "--json"]).json()["leases"].as_array().unwrap().len(), 1);
    drop(lease);
}

#[test]
fn lost_and_damaged_labels_are_written_again() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "4"]);
    let (id, ports) = (id(&created), ports(&created));
    scratch.scribble(ports[1], 0, &[0; 64]);
    scratch.scribble(ports[2], 0, &[0xa5; 64]);
    let damaged = scratch.environment(&id);
    assert_eq!(damaged["status"], "damaged");
    let reason = damaged["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("{}, {}", ports[1], ports[2])), "{reason}");
    let said = run(scratch.command(["reconcile"]).current_dir(scratch.elsewhere())).succeeded();
    assert!(said.contains("2 labels repaired"), "{said}");
    for port in [ports[1], ports[2]] {
        assert!(said.contains(&format!("port {port}: label of environment {id}")), "{said}");
    }
    assert_eq!(scratch.environment(&id)["status"], "active");
    assert_eq!(scratch.run(["reconcile"]).succeeded(), "0 labels repaired\n");
    scratch.run(["cleanup", "--id", &id]).succeeded();
    scratch.assert_nothing_left(&[]);
}

#[test]
fn labels_without_a_record_are_cleared() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 3);
    let created = scratch.create(&["--ports", "3", "--no-env-file"]);
    rustix::fs::unlink(path(&created, "lock_file")).unwrap();
    let said = scratch.run(["reconcile"]).succeeded();
    assert!(said.contains(&id(&created)) && said.contains("3 labels repaired"), "{said}");
    std::fs::remove_dir(path(&created, "temp_dir")).unwrap();
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_port_that_somebody_else_has_meanwhile_is_told_and_left() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "3"]);
    let port = ports(&created)[1];
    scratch.scribble(port, 0, &[0; 64]);
    let lease = scratch.allocator().lease(LeaseRequest::exact([port])).unwrap();
    let reconciled = scratch.run(["reconcile"]);
    assert_eq!(reconciled.status, 6, "{reconciled:?}");
    let said = reconciled.stdout;
    assert!(said.contains(&format!("port {port}")) && said.contains("another lease"), "{said}");
    assert_eq!(scratch.environment(&id(&created))["stale_reason"], "ports_taken");
    assert_eq!(scratch.run(["list", "--json"]).json()["leases"][0]["ports"], Value::from(vec![port]));
    drop(lease);
}

#[test]
fn list_may_reconcile_first_and_keeps_its_output_clean() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "2"]);
    scratch.scribble(ports(&created)[0], 0, &[0; 64]);
    let run = scratch.run(["list", "--reconcile", "--json"]);
    assert!(run.stderr.contains("1 label repaired"), "{}", run.stderr);
    assert_eq!(run.json()["environments"][0]["status"], "active");
}
