//! `portalloc who` from end to end: the real binary, and real users. What it sees of sockets and processes is tested in
//! core/tests/who.rs; here it is what goes in and comes out, and what another user is told.

#![expect(clippy::expect_used, reason = "helpers of tests: a failure is a failed test")]

use std::net::TcpListener;
use std::process::{Command, Stdio};

use portalloc_testkit::{CommandLine, id, run, skip};
use serde_json::{Value, json};

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");
const NOBODY: &str = "65534";

/// Four ports, and output as for a terminal of 80 columns.
fn world() -> CommandLine {
    CommandLine::with_pool_of(PORTALLOC, 4)
}

fn shown(world: &CommandLine, arguments: &[&str]) -> String {
    run(world.command(arguments).env("COLUMNS", "80")).succeeded()
}

/// An environment of two ports, kept: what `create --json` says.
fn create(world: &CommandLine) -> Value {
    world.create(&["--ports", "2", "--no-env-file"])
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn nobody_is_told_and_no_failure() {
    let world = world();
    let port = world.base().to_string();
    let said = shown(&world, &["who", &port]);
    assert!(said.contains("is not in use") && said.contains(&port), "{said}");
    let said = world.run(["who", &port, "--json"]).json();
    assert_eq!(said["ports"][0]["in_use"], false);
    assert_eq!((&said["ports"][0]["lease"], &said["ports"][0]["sockets"]), (&Value::Null, &json!([])));
}

#[test]
fn a_server_is_shown_with_its_process() {
    let world = world();
    let _server = TcpListener::bind(("127.0.0.1", world.base())).expect("the port is free");
    let (port, pid) = (world.base().to_string(), std::process::id());
    let said = shown(&world, &["who", &port]);
    for part in [format!("PID {pid} ("), format!("127.0.0.1:{port}"), "listen".to_owned()] {
        assert!(said.contains(&part), "{part} is missing in\n{said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "wider than 80 columns:\n{said}");
    let said = world.run(["who", &port, "--json"]).json();
    let seen = &said["ports"][0];
    assert_eq!(keys(&said), ["ports"]);
    assert_eq!(keys(seen), ["complete", "holders", "in_use", "lease", "message", "port", "sockets"]);
    let socket = &seen["sockets"][0];
    assert_eq!(keys(socket), ["hidden", "local", "processes", "protocol", "remote", "state", "user_id"]);
    assert_eq!((&socket["state"], &socket["local"]), (&json!("listen"), &json!(format!("127.0.0.1:{port}"))));
    let processes = socket["processes"].as_array().expect("an array");
    let process = processes.iter().find(|process| process["pid"] == pid).expect("this process");
    assert_eq!(keys(process), ["command", "name", "pid", "started_at", "user", "user_id"]);
}

#[test]
fn several_ports_keep_their_order() {
    let world = world();
    let ports = [2, 0, 1].map(|index: usize| world.ports()[index]);
    let arguments: Vec<String> =
        ["who".to_owned(), "--json".to_owned()].into_iter().chain(ports.map(|port| port.to_string())).collect();
    let said = world.run(&arguments).json();
    let listed: Vec<_> = said["ports"].as_array().expect("an array").iter().map(|seen| seen["port"].clone()).collect();
    assert_eq!(listed, ports.map(|port| json!(port)));
}

#[test]
fn an_environment_is_shown_by_its_id() {
    let world = world();
    let created = create(&world);
    let id = &id(&created);
    let said = world.run(["who", "--json", "--id", id]).json();
    let listed: Vec<_> = said["ports"].as_array().expect("an array").iter().map(|seen| seen["port"].clone()).collect();
    assert_eq!(json!(listed), created["ports"]["ports"]);
    let lease = &said["ports"][0]["lease"];
    assert_eq!(keys(lease), ["holder", "instance_id", "isolation_id", "lifetime", "since", "worktree_path"]);
    assert_eq!((&lease["lifetime"], &lease["isolation_id"]), (&json!("kept"), &json!(id)));
    assert_eq!(lease["worktree_path"], created["worktree_path"]);
    assert!(shown(&world, &["who", "--id", id]).contains(id));
    world.run(["cleanup", "--all"]).succeeded();
}

#[test]
fn bad_input_is_refused() {
    let world = world();
    assert!(world.run(["who", "--id", "0123456789ab"]).failed(4).contains("not_found: "));
    assert!(world.run(["who", "--id", "../x"]).failed(2).contains("invalid_id: "));
    assert!(world.run(["who", "0"]).failed(2).contains("invalid_argument: port 0 "));
    for arguments in [&["who"][..], &["who", "65536"], &["who", "x"], &["who", "80", "--id", "0123456789ab"]] {
        world.run(arguments).failed(2);
    }
}

#[test]
fn another_user_is_told_what_is_hidden() {
    let world = world();
    let created = create(&world);
    let port = created["ports"]["base_port"].to_string();
    let _server = TcpListener::bind(("127.0.0.1", port.parse().expect("a port"))).expect("the port is free");
    // A copy, since the directory of the build may be closed to others. By a process of its own: of a file that this one
    // writes to, programs that other tests are just starting have copies, and what is open for writing cannot be executed.
    let copy = world.path().join("portalloc");
    assert!(Command::new("cp").arg(PORTALLOC).arg(&copy).status().is_ok_and(|status| status.success()), "no copy");
    let as_nobody = |arguments: &[&str]| {
        let mut command = world.program("setpriv");
        command.args(["--reuid", NOBODY, "--clear-groups"]).args(arguments).env("COLUMNS", "80");
        command
    };
    // Another user must get to the registry.
    world.open_to_all();
    if !as_nobody(&["true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        if rustix::process::geteuid().is_root() {
            skip("setpriv does not work here");
        } else {
            eprintln!("SKIPPED: only root can be another user");
        }
        world.run(["cleanup", "--all"]).succeeded();
        return;
    }
    let program = copy.to_str().expect("UTF-8");
    let said = run(&mut as_nobody(&[program, "who", "--json", &port])).json();
    let seen = &said["ports"][0];
    assert_eq!(seen["sockets"][0]["hidden"], "other_user");
    assert_eq!((&seen["sockets"][0]["processes"], &seen["sockets"][0]["user_id"]), (&json!([]), &json!(0)));
    // The label is for everybody, the record is not.
    assert_eq!(seen["lease"]["isolation_id"], created["isolation_id"]);
    assert_eq!(seen["lease"]["worktree_path"], Value::Null);
    let said = run(&mut as_nobody(&[program, "who", &port])).succeeded();
    assert!(said.replace('\n', " ").contains("only that user and root may see"), "{said}");
    world.run(["cleanup", "--all"]).succeeded();
}
