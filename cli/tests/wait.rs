//! `portalloc wait` from end to end. What counts as open and as free is tested in the core; here it is arguments,
//! messages and exit statuses, and a network of its own in which connections meet themselves.

#![expect(clippy::unwrap_used, reason = "in helpers of tests, too, a failure is a failed test")]

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Stdio};

use portalloc_testkit::{CommandLine, Run, id, own_network, run, skip, until};

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");

/// A command that goes on, with pipes for what it says.
fn start(world: &CommandLine, arguments: &str) -> Child {
    let mut command = world.command(arguments.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Exit status and standard error of a command without a result.
fn ended(world: &CommandLine, arguments: &str) -> (i32, String) {
    told(world.run(arguments.split_whitespace()))
}

fn told(run: Run) -> (i32, String) {
    assert_eq!(run.stdout, "", "nothing is written to standard output");
    (run.status, run.stderr)
}

const DONE: (i32, String) = (0, String::new());

#[test]
fn until_servers_are_there() {
    let world = CommandLine::with_pool_of(PORTALLOC, 2);
    let [there, later] = world.ports()[..] else { panic!("two ports") };
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, there)).unwrap();
    let waiting = start(&world, &format!("wait {later} {there} --timeout 60s"));
    // It has looked at both, the later one first.
    first.accept().unwrap();
    let _second = TcpListener::bind((Ipv6Addr::LOCALHOST, later)).unwrap();
    assert_eq!(told(waiting.wait_with_output().unwrap().into()), DONE);
}

#[test]
fn until_ports_are_free() {
    let world = CommandLine::with_pool_of(PORTALLOC, 1);
    let port = world.ports()[0];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut waiting = start(&world, &format!("wait {port} --free -t 60s"));
    // The pause after the first look is the one thing in it that sleeps.
    let stat = Path::new("/proc").join(waiting.id().to_string()).join("stat");
    until("it sleeps", || {
        assert!(waiting.try_wait().unwrap().is_none(), "it has ended");
        fs::read_to_string(&stat).unwrap().contains("(portalloc) S ")
    });
    drop(listener);
    assert_eq!(told(waiting.wait_with_output().unwrap().into()), DONE);
}

#[test]
fn a_time_that_is_over_says_what_was_seen() {
    let world = CommandLine::with_pool_of(PORTALLOC, 4);
    let [first, _, _, last] = world.ports()[..] else { panic!("four ports") };
    let (status, said) = ended(&world, &format!("wait {first}-{last} --timeout 20ms"));
    let expected =
        format!("portalloc: timeout: waited 20ms: ports {first}-{last}: connection refused on 127.0.0.1 and ::1;");
    assert!(status == 3 && said.starts_with(&expected), "{status} {said}");
    assert_eq!(said.lines().count(), 1, "{said}");

    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, last)).unwrap();
    let (status, said) = ended(&world, &format!("wait {first},{last} --free --timeout 0s"));
    let expected = format!("portalloc: timeout: waited 0s: port {last}: still bound (tcp);");
    assert!(status == 3 && said.starts_with(&expected), "{status} {said}");
}

#[test]
fn an_environment_by_its_id() {
    let world = CommandLine::with_pool_of(PORTALLOC, 3);
    let id = id(&world.create(&["--ports", "3", "--no-env-file"]));
    assert_eq!(ended(&world, &format!("wait --id {id} --free --timeout 0s")), DONE);
    let mut listeners = world.ports().iter().map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap());
    let two: Vec<_> = listeners.by_ref().take(2).collect();
    let (status, said) = ended(&world, &format!("wait --id {id} --timeout 0s"));
    assert!(status == 3 && said.contains(&format!(": port {}: ", world.ports()[2])), "{said}");
    let _last = listeners.next().unwrap();
    assert_eq!(ended(&world, &format!("wait --id {id}")), DONE);
    drop(two);
    world.run(["cleanup", "--id", &id]).succeeded();
    let (status, said) = ended(&world, &format!("wait --id {id}"));
    assert!(status == 4 && said.starts_with("portalloc: not_found: ") && said.contains(&id), "{status} {said}");
}

#[test]
fn bad_arguments() {
    let world = CommandLine::with_pool_of(PORTALLOC, 1);
    for bad in [
        "wait 0",
        "wait 70000",
        "wait 5-",
        "wait 20010 --status 200",
        "wait 20010 --free --http /",
        "wait --id ../../x",
        "wait 20010 --id 0123456789ab",
        "wait 20010 --timeout soon",
        "wait 20010 --timeout -1s",
    ] {
        let (status, said) = ended(&world, bad);
        assert!(status == 2 && !said.is_empty() && !said.contains("panicked"), "{bad}: {status} {said}");
    }
    for nameless in ["wait --timeout 0s", "wait --free", "wait words --timeout 0s"] {
        let (status, said) = ended(&world, nameless);
        assert!(status == 4 && said.contains("has no environment yet"), "{nameless}: {status} {said}");
    }
}

/// Where the ephemeral range is two ports, every connection to one of them sooner or later comes from that very port.
#[test]
fn a_connection_that_meets_itself_is_no_server_and_leaves_nothing_behind() {
    let world = CommandLine::with_pool_of(PORTALLOC, 1);
    let Some(mut command) = own_network("echo 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range") else {
        return skip("no network namespace can be made here");
    };
    let script = "\"$0\" wait 40000 40001 --timeout 200ms || test $? = 3; \
                  exec \"$0\" wait 40000 40001 --free --timeout 0s";
    world.prepare(&mut command, world.pool());
    let (status, said) = told(run(command.args(["sh", "-euc", script, PORTALLOC])));
    let lines: Vec<_> = said.lines().filter(|line| !line.contains("warning")).collect();
    assert_eq!(status, 0, "{said}");
    assert!(
        matches!(lines[..], [line] if line.contains(": ports 40000-40001: connection refused on 127.0.0.1 and ::1;")),
        "{said}"
    );
}
