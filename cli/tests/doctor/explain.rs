//! `--explain`: whether a lease would be granted, and why not.

use portalloc_testkit::{CommandLine, Running, can_unshare, run, until};
use serde_json::{Value, json};

use crate::PORTALLOC;

fn explained(world: &CommandLine, count: usize, status: i32) -> Value {
    let ended = world.run(["doctor", "--json", "--explain", &count.to_string()]);
    assert_eq!(ended.status, status, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    report["explanation"].clone()
}

#[test]
fn it_says_what_a_lease_would_meet_and_takes_none() {
    let world = CommandLine::with_pool_of(PORTALLOC, 12);
    let free = explained(&world, 12, 0);
    assert_eq!((&free["granted"], &free["count"], &free["remedy"]), (&json!(true), &json!(12), &Value::Null));
    assert_eq!(free["census"]["free"], 12);
    assert_eq!(explained(&world, 13, 1)["message"].as_str().unwrap().split(": ").last(), Some("the pool has only 12"));

    // One port in the middle is in use, four are kept, two are held.
    let foreign = std::net::TcpListener::bind(("127.0.0.1", world.ports()[5])).unwrap();
    let kept = world.create(&["--no-env-file", "--specific", &format!("{},{}", world.ports()[0], world.ports()[1])]);
    let id = kept["isolation_id"].as_str().unwrap();
    let specific = format!("--specific={},{}", world.ports()[10], world.ports()[11]);
    let mut server = Running::start(&mut world.command(["run", &specific, "--", "sh", "-c", "echo ready; cat"]));
    assert_eq!(server.line(), "ready");

    let now = explained(&world, 4, 0);
    assert_eq!(now["granted"], true);
    let census = &now["census"];
    assert_eq!([&census["held"], &census["kept"], &census["foreign"], &census["free"]], [2, 2, 1, 7], "{census}");
    assert_eq!(census["longest_run"], 4);
    let holders: Vec<&str> =
        now["holders"].as_array().unwrap().iter().map(|holder| holder["holder"].as_str().unwrap()).collect();
    assert_eq!(holders.len(), 2);
    assert!(holders.contains(&format!("environment {id}").as_str()), "{holders:?}");

    let scattered = explained(&world, 5, 1);
    assert!(scattered["message"].as_str().unwrap().contains("no 5 free ports are consecutive"), "{scattered}");
    assert!(scattered["remedy"].as_str().unwrap().contains("scattered"), "{scattered}");
    let full = explained(&world, 8, 1);
    assert!(full["message"].as_str().unwrap().contains("of 12 ports 2 are held, 2 kept"), "{full}");
    drop(foreign);
    // A program that another test is starting may have a copy of the socket until exec.
    until("the port is free", || world.run(["doctor", "--explain", "8"]).status == 0);
    assert_eq!(explained(&world, 8, 0)["census"]["longest_run"], 8, "nothing was leased to find out");
    // What it says is so.
    assert_eq!(world.run(["run", "--ports", "8", "--", "true"]).status, 0);
    assert_eq!(world.run(["run", "--ports", "9", "--", "true"]).status, 3);
    server.end();
}

#[test]
fn the_pool_may_be_named() {
    let world = CommandLine::with_pool_of(PORTALLOC, 12);
    let part = world.part_of_pool(0, 3);
    let ended = world.run(["doctor", "--explain", "4", "--pool", &part, "--exclude", &world.ports()[3].to_string()]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.stdout.contains("a lease of 4 consecutive ports would be refused: the pool has only 3"), "{ended:?}");
}

#[test]
fn ports_that_this_user_may_not_bind_are_told() {
    if !can_unshare(&["-n"]) {
        return;
    }
    let world = CommandLine::with_pool_of(PORTALLOC, 12);
    world.open_to_all();
    let script = "echo 30000 > /proc/sys/net/ipv4/ip_unprivileged_port_start; \"$1\" list > /dev/null
        exec setpriv --reuid 1000 --regid 1000 --clear-groups \"$1\" doctor --explain 3";
    let mut command = world.program("unshare");
    let ended = run(command.args(["-n", "sh", "-euc", script, "sh", PORTALLOC]));
    assert_eq!(ended.status, 1, "{ended:?}");
    let (_, explanation) = ended.stdout.split_once("a lease of 3 consecutive ports would be refused: ").unwrap();
    assert!(explanation.contains("12 denied to this user"), "{explanation}");
    assert!(explanation.lines().nth(1).unwrap().contains("net.ipv4.ip_unprivileged_port_start"), "{explanation}");
}

#[test]
fn a_number_that_is_none_is_refused() {
    let world = CommandLine::new(PORTALLOC);
    assert_eq!(world.run(["doctor", "--explain", "-1"]).status, 2);
    assert_eq!(world.run(["doctor", "--explain", "many"]).status, 2);
    assert_eq!(explained(&world, 0, 1)["granted"], false);
}

#[test]
fn without_a_registry_it_names_the_line_that_says_why() {
    let world = CommandLine::new(PORTALLOC);
    std::fs::write(world.registry(), "").unwrap();
    let refused = explained(&world, 1, 1);
    assert_eq!(refused["census"], Value::Null);
    assert!(refused["message"].as_str().unwrap().contains("the line registry"), "{refused}");
}
