//! `wait --mine` and `wait --http`.

use std::fs;
use std::process::Command;

use portalloc_testkit::{CommandLine, run};
use serde_json::Value;

use crate::place::{HTTP, PORTALLOC, Place, SERVER};

#[test]
fn a_wait_begins_before_there_is_an_environment() {
    let world = CommandLine::with_pool_of(PORTALLOC, 4);
    fs::create_dir_all(world.work().join(".git")).unwrap();
    let script = "
        portalloc wait --mine --timeout 1h web & waiting=$!
        portalloc exec --names web -- python3 -c \"$SERVER\" {web} & server=$!
        wait $waiting; kill $server";
    run(world.sh(script).env("SERVER", SERVER)).succeeded();
}

#[test]
fn a_wait_for_mine_fails_at_once_on_another_ones_server() {
    let place = Place::new();
    let elsewhere = place.world.elsewhere().canonicalize().unwrap();
    let mut server = place.server(&elsewhere, None);
    let pid = server.line();
    // A limit that the test's own time limit would not outlast.
    let said = place.run(&["wait", "--mine", "--timeout", "1h"]).failed_with(3, "port_in_use");
    assert!(said.contains(&format!("PID {pid} (python3) in {}", elsewhere.display())), "{said}");
    place.run(&["wait", "web"]).succeeded();
    server.kill();
    let mut own = place.server(&place.directory, None);
    own.line();
    place.run(&["wait", "--mine", "web"]).succeeded();
    place.run(&["wait", "--mine", "1"]).failed_with(2, "invalid_argument");
    let said = place.run(&["wait", "--mine", "--timeout", "20ms"]).failed_with(3, "timeout");
    assert!(said.contains(&format!("port {}", place.ports[1])) && !said.contains(&place.port()), "{said}");
}

#[test]
fn another_users_server_cannot_be_told() {
    let place = Place::new();
    let Some(mut created) = place.world.as_nobody(["env", "--json", "--names", "web"]) else { return };
    let made = run(created.env_remove("ISOLATION_ID")).json();
    let port = made["ports"]["base_port"].to_string();
    // Root's server, and the user nobody asks.
    let mut server = place.start(Command::new("python3").args(["-c", SERVER, &port]), &place.directory, None);
    server.line();
    let asked = |arguments: &[&str]| run(place.world.as_nobody(arguments).unwrap().env_remove("ISOLATION_ID"));
    let said = asked(&["wait", "--mine", "--timeout", "50ms"]).failed_with(3, "timeout");
    assert!(said.contains("it belongs to user 0 (root)"), "{said}");
    let stopped = asked(&["stop", "--json"]);
    let said: Value = serde_json::from_str(&stopped.stdout).unwrap();
    assert_eq!((stopped.status, &said["unknown"][0]["user_id"]), (5, &0.into()), "{said}");
    assert_eq!(said["processes"].as_array().unwrap().len(), 0);
}

#[test]
fn an_answer_is_waited_for() {
    let place = Place::new();
    let port = place.port();
    let mut server = place.start(Command::new("python3").args(["-c", HTTP, &port]), &place.directory, None);
    server.line();
    for path in ["/200", "/204", "/302"] {
        place.run(&["wait", &port, "--http", path]).succeeded();
        place.run(&["wait", "web", "--mine", "--http", path]).succeeded();
    }
    place.run(&["wait", "web", "--mine", "--http", "/503", "--status", "503"]).succeeded();
    for (path, more, said) in [("/404", &[][..], "answered 404"), ("/200", &["--status", "204"], "answered 200")] {
        let words = [&["wait", &port, "--timeout", "20ms", "--http", path], more].concat();
        let failed = place.run(&words).failed_with(3, "timeout");
        assert!(failed.contains(&format!("GET {path} {said} on 127.0.0.1")), "{failed}");
    }
    let failed = place.run(&["wait", &port, "--timeout", "50ms", "--http", "/slow"]).failed_with(3, "timeout");
    assert!(failed.contains("GET /slow failed on 127.0.0.1: no answer"), "{failed}");
    for bad in [&["--http", "x"][..], &["--http", "/", "--status", "99"], &["--status", "200"], &["--free", "--mine"]] {
        place.run(&[&["wait", &port], bad].concat()).failed(2);
    }
}
