//! `portalloc who` from end to end: the real binary, and real users. What it sees of sockets and processes is tested in
//! core/tests/who.rs; here it is what goes in and comes out, and what another user is told.

#![expect(clippy::expect_used, reason = "helpers of tests: a failure is a failed test")]

use std::net::TcpListener;

use portalloc_testkit::{CommandLine, Running, id, run};
use serde_json::{Value, json};

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");

/// Four ports.
fn world() -> CommandLine {
    CommandLine::with_pool_of(PORTALLOC, 4)
}

fn shown(world: &CommandLine, arguments: &[&str]) -> String {
    world.run(arguments).succeeded()
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
fn ranges_are_ports_too() {
    let world = world();
    let (first, last) = (world.base(), world.base() + 3);
    let said = world.run(["who", "--json", &last.to_string(), &format!("{first}-{}", first + 1)]).json();
    let listed: Vec<_> = said["ports"].as_array().expect("an array").iter().map(|seen| seen["port"].clone()).collect();
    assert_eq!(listed, [last, first, first + 1].map(|port| json!(port)));
}

/// The guard has its socket on the port before the server has. The server calls its main thread what Node 24 calls it.
#[test]
fn the_server_comes_before_its_guard() {
    let world = world();
    let server = "import os, socket, sys
open('/proc/self/comm', 'w').write('MainThread')
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(os.environ['WEB_PORT'])))
s.listen()
print(os.getpid(), os.environ['WEB_PORT'], flush=True)
sys.stdin.read()";
    let mut served =
        Running::start(&mut world.command(["run", "--guard", "--names", "web", "--", "python3", "-c", server]));
    let line = served.line();
    let (pid, port) = line.split_once(' ').expect("a PID and a port");
    let said = shown(&world, &["who", port]);
    assert!(said.starts_with(&format!("port {port} is in use by PID {pid} (python3), since ")), "{said}");
    let rows: Vec<&str> = said.lines().skip_while(|line| !line.starts_with("SOCKET")).skip(1).collect();
    assert!(rows.len() > 1, "the guard is not shown, so this test proves nothing:\n{said}");
    assert!(rows.first().is_some_and(|row| row.contains(" listen ")), "{said}");
    let said = world.run(["who", "--json", port]).json();
    assert_eq!(
        (&said["ports"][0]["sockets"][0]["state"], &said["ports"][0]["holders"][0]["pid"]),
        (&json!("listen"), &json!(pid.parse::<u32>().expect("a PID")))
    );
    served.end_input();
    assert_eq!(served.end().0, 0);
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
    assert!(world.run(["who", "0"]).failed(2).contains("invalid_argument: \"0\" "));
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
    let Some(mut asked) = world.as_nobody(["who", "--json", &port]) else { return };
    let said = run(&mut asked).json();
    let seen = &said["ports"][0];
    assert_eq!(seen["sockets"][0]["hidden"], "other_user");
    assert_eq!((&seen["sockets"][0]["processes"], &seen["sockets"][0]["user_id"]), (&json!([]), &json!(0)));
    // The label is for everybody, the record is not.
    assert_eq!(seen["lease"]["isolation_id"], created["isolation_id"]);
    assert_eq!(seen["lease"]["worktree_path"], Value::Null);
    let said = world.as_nobody(["who", &port]).map(|mut asked| run(&mut asked).succeeded()).unwrap_or_default();
    assert!(said.contains("only that user and root may see"), "{said}");
    world.run(["cleanup", "--all"]).succeeded();
}
