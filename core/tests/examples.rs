//! The programs of `core/examples`, run as a user would run them, in a registry of their own.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::process::Command;

use tempfile::TempDir;

fn run(name: &str) -> String {
    let registry = TempDir::new().unwrap();
    // Through cargo, so that an example is never older than its source.
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .args(["--example", name])
        .env("PORTALLOC_DIR", registry.path())
        .current_dir(registry.path())
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{name} ended with {}: {errors}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_server_on_a_leased_port() {
    assert!(run("server").ends_with("the server said: hello\n"));
}

#[test]
fn a_guarded_port() {
    let said = run("guard");
    assert!(said.contains("another program's bind fails") && said.contains("accepts connections"), "{said}");
}

#[test]
fn a_forked_child() {
    let said = run("fork");
    assert!(said.contains("child: port") && said.contains("parent: still held"), "{said}");
}

#[test]
fn an_environment_with_a_child() {
    let said = run("environment");
    assert!(said.contains("WEB_PORT=") && said.contains("ISOLATION_ID="), "{said}");
}

#[test]
fn waiting_for_a_server() {
    let said = run("wait");
    assert!(said.contains("a server listens") && said.contains("nothing is bound"), "{said}");
}
