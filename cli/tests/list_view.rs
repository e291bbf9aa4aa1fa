//! `portalloc list --map` and `--watch`: what people look at. Terminals are real ones, of the helper `list_view.py`.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};

use portalloc::Lease;
use portalloc::pool::PortSet;
use portalloc_testkit::{CommandLine, Process, Running, ports, run, until};
use rustix::process::Signal;
use serde_json::Value;

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");

fn shown(world: &CommandLine, arguments: &[&str]) -> String {
    world.run(arguments).succeeded()
}

fn create(world: &CommandLine, options: &[&str]) -> Vec<u16> {
    ports(&world.create(&[&["--no-env-file"], options].concat()))
}

/// What `list_view.py` saw of a watch at this interval that ends like that.
fn watched(world: &CommandLine, interval: &str, ending: &str, variables: &[(&str, &str)]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/list_view.py");
    let mut python = world.program("python3");
    python.args([script, PORTALLOC, interval, ending]).env("TERM", "xterm-256color").envs(variables.iter().copied());
    run(&mut python).json()
}

/// A pool in which there is one of everything; kept alive, and expected as characters.
struct Everything {
    lease: Lease,
    kept: Vec<u16>,
    stale: Vec<u16>,
    strangers: (TcpListener, UdpSocket),
    cells: Vec<char>,
}

impl Everything {
    fn new(world: &CommandLine) -> Self {
        let lease = world.allocator().lease(3).unwrap();
        let kept = create(world, &["--ports", "2"]);
        let mut owner = Process::start(Command::new("sleep").arg("1000")).unwrap();
        let stale = create(world, &["--ports", "4", "--owner-pid", &owner.id().to_string()]);
        owner.end();
        let taken = [lease.ports(), &kept, &stale].concat();
        let mut others = (world.base()..).filter(|port| !taken.contains(port));
        let strangers = (
            TcpListener::bind((Ipv4Addr::LOCALHOST, others.next().unwrap())).unwrap(),
            UdpSocket::bind((Ipv4Addr::LOCALHOST, others.next().unwrap())).unwrap(),
        );
        let mut this = Self { lease, kept, stale, strangers, cells: Vec::new() };
        this.cells = (world.base()..).take(60).map(|port| this.cell(port)).collect();
        this
    }

    fn cell(&self, port: u16) -> char {
        match port {
            port if self.lease.ports().contains(&port) => '#',
            port if self.kept.contains(&port) => 'K',
            port if self.stale.contains(&port) => 's',
            port if self.strangers().contains(&port) => 'x',
            _ => '.',
        }
    }

    fn strangers(&self) -> [u16; 2] {
        [self.strangers.0.local_addr().unwrap().port(), self.strangers.1.local_addr().unwrap().port()]
    }
}

/// Rows of a map: the first port, and the cells.
fn rows(said: &str) -> Vec<(u16, Vec<char>)> {
    let (_, map) = said.split_once("POOL ").unwrap();
    let rows = map.lines().filter_map(|line| line.split_once("  ")).filter_map(|(first, cells)| {
        Some((first.parse().ok()?, cells.chars().filter(|cell| !cell.is_whitespace()).collect()))
    });
    rows.collect()
}

#[test]
fn every_port_has_its_character() {
    let world = CommandLine::new(PORTALLOC);
    let everything = Everything::new(&world);
    let said = run(world.command(["list", "--map"]).env("COLUMNS", "80")).succeeded();
    assert!(said.contains(&format!("\n\nPOOL {}: 60 ports\n", world.pool())), "{said}");
    assert_eq!(rows(&said), [(world.base(), everything.cells.clone())], "{said}");
    assert!(said.ends_with("\n. 49 free   # 3 held   K 2 kept   s 4 stale   x 2 foreign\n"), "{said}");
    let mut map = said.lines().skip_while(|line| !line.starts_with("POOL "));
    assert!(!said.contains('\u{1b}') && map.all(|line| line.chars().count() <= 80), "{said}");
    // What is gone is free again; a stranger on a port that is claimed is the claim's matter.
    let on_kept = TcpListener::bind((Ipv4Addr::LOCALHOST, everything.kept[0])).unwrap();
    let stranger = everything.strangers()[0];
    drop((everything.lease, everything.strangers));
    // What this process lets go of, a program that another thread is just starting may still have for a moment.
    let expected = "\n. 54 free   # 0 held   K 2 kept   s 4 stale   x 0 foreign\n";
    until("the map says so", || shown(&world, &["list", "--map"]).ends_with(expected));
    drop(on_kept);
    // One that is bound and does not listen, where the kernel shows it; else the map says that it does not.
    let socket = socket_that_does_not_listen(stranger);
    let said = shown(&world, &["list", "--map"]);
    assert!(said.contains("x 1 foreign\n") || said.contains("This kernel does not show"), "{said}");
    drop(socket);
}

/// A TCP socket that is bound, and nothing more.
fn socket_that_does_not_listen(port: u16) -> Running {
    let script = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); print(flush=True); sys.stdin.read()";
    let mut python = Running::start(Command::new("python3").args(["-c", script, &port.to_string()]));
    python.line();
    python
}

#[test]
fn it_is_as_wide_as_there_is_room() {
    let world = CommandLine::new(PORTALLOC);
    let everything = Everything::new(&world);
    for (columns, cells) in
        [("40", 30), ("39", 30), ("38", 20), ("28", 20), ("27", 10), ("17", 10), ("16", 9), ("12", 5)]
    {
        let said = run(world.command(["list", "--map"]).env("COLUMNS", columns)).succeeded();
        let expected: Vec<(u16, Vec<char>)> =
            (world.base()..).step_by(cells).zip(everything.cells.chunks(cells).map(<[char]>::to_vec)).collect();
        assert_eq!(rows(&said), expected, "{columns}:\n{said}");
    }
}

#[test]
fn a_map_may_be_of_another_pool() {
    let world = CommandLine::new(PORTALLOC);
    let first = world.base();
    let (pool, out) = (format!("{first}-{}", first + 9), format!("{}-{}", first + 2, first + 4));
    let said = shown(&world, &["list", "--map", "--pool", &pool, "--exclude", &out]);
    assert_eq!(rows(&said), [(first, "..---.....".chars().collect())], "{said}");
    assert!(said.contains("POOL ") && said.ends_with("   - not in the pool\n"), "{said}");
    std::fs::write(world.work().join("portalloc.toml"), format!("pool = \"{pool}\"\n")).unwrap();
    let declared = run(world.command(["list", "--map"]).env_remove("PORTALLOC_POOL")).succeeded();
    assert_eq!(rows(&declared), [(first, vec!['.'; 10])], "{declared}");
    // A pool without a map.
    world.run(["list", "--pool", &pool]).failed(2);
}

#[test]
fn json_has_ranges_by_class() {
    let world = CommandLine::new(PORTALLOC);
    let everything = Everything::new(&world);
    let said = world.run(["list", "--map", "--json"]).json();
    assert!(said["environments"].is_array() && said["leases"].is_array(), "{said}");
    let pool = &said["pool"];
    assert_eq!((&pool["asked"], &pool["ports"]), (&world.pool().into(), &60.into()));
    assert!(pool["complete"].is_boolean(), "{said}");
    let classes = pool["classes"].as_array().unwrap();
    let names: Vec<&str> = classes.iter().map(|class| class["class"].as_str().unwrap()).collect();
    assert_eq!(names, ["free", "held", "kept", "stale", "foreign"]);
    for (class, symbol) in classes.iter().zip(['.', '#', 'K', 's', 'x']) {
        let ports: Vec<u16> = PortSet::parse(class["ranges"].as_str().unwrap()).unwrap().ports().collect();
        let expected: Vec<u16> = (world.base()..)
            .zip(&everything.cells)
            .filter(|(_, cell)| **cell == symbol)
            .map(|(port, _)| port)
            .collect();
        assert_eq!(ports, expected, "{class}");
        assert_eq!(class["count"], ports.len(), "{class}");
    }
    let without = world.run(["list", "--json"]).json();
    assert!(without.get("pool").is_none(), "{without}");
}

#[test]
fn into_a_pipe_it_is_shown_one_after_the_other() {
    let world = CommandLine::new(PORTALLOC);
    let once = shown(&world, &["list", "--map"]);
    let mut watching = Running::start(&mut world.command(["list", "--map", "--watch=0.05"]));
    for line in format!("{once}\n{once}\n").lines() {
        assert_eq!(watching.line(), line.trim_end());
    }
    watching.signal(Signal::TERM);
    assert_eq!(watching.wait(), 128 + 15);
}

#[test]
fn a_reader_who_has_seen_enough_ends_it() {
    let world = CommandLine::new(PORTALLOC);
    let mut watching =
        world.command(["list", "--watch=0.05"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(watching.stdout.take());
    until("it ends", || watching.try_wait().unwrap().is_some());
    assert!(watching.wait_with_output().unwrap().stderr.is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let world = CommandLine::new(PORTALLOC);
    for bad in [
        &["--watch", "--json"][..],
        &["--watch", "--format", "json"],
        &["--watch=0"],
        &["--watch=-1"],
        &["--watch=nan"],
        &["--watch=soon"],
        &["--watch=1e99"],
        &["--map", "--pool", "words"],
    ] {
        assert!(!world.run([&["list"], bad].concat()).failed(2).contains("panicked"), "{bad:?}");
    }
}

/// Fails unless the terminal is as before, and the last that it got puts it so.
fn assert_clean(watched: &Value) {
    let seen = watched["seen"].as_str().unwrap();
    assert_eq!((&watched["raw"], &watched["restored"]), (&true.into(), &true.into()), "{watched}");
    assert!(seen.starts_with("\u{1b}[?1049h\u{1b}[?7l\u{1b}[?25l"), "{seen:?}");
    let (_, after) = seen.rsplit_once("to quit").unwrap();
    assert!(after.contains("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"), "{seen:?}");
}

#[test]
fn on_a_terminal_it_is_drawn_anew_until_q() {
    let world = CommandLine::new(PORTALLOC);
    let watched = watched(&world, "0.1", "create and q", &[]);
    assert_clean(&watched);
    assert_eq!(watched["status"], 0, "{watched}");
    let seen = watched["seen"].as_str().unwrap();
    assert!(seen.ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{seen:?}");
    assert!(seen.contains("\u{1b}[36mK"), "in colour: {seen:?}");
    assert!(!seen.contains("xq"), "keys are not echoed: {seen:?}");
}

#[test]
fn signals_leave_a_clean_terminal_too() {
    let world = CommandLine::new(PORTALLOC);
    for (ending, status) in [("terminate", 128 + 15), ("interrupt", 128 + 2)] {
        let watched = watched(&world, "1000", ending, &[]);
        assert_clean(&watched);
        assert_eq!(watched["status"], status, "{watched}");
        assert!(watched["seen"].as_str().unwrap().ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{watched}");
    }
}

#[test]
fn an_error_is_told_on_a_clean_terminal() {
    let world = CommandLine::new(PORTALLOC);
    let watched = watched(&world, "0.1", "fail", &[]);
    assert_clean(&watched);
    assert_eq!(watched["status"], 1, "{watched}");
    let seen = watched["seen"].as_str().unwrap();
    let (_, after) = seen.rsplit_once("\u{1b}[?1049l").unwrap();
    assert!(after.contains("registry_unusable"), "{seen:?}");
}

/// The interval is far longer than the test: only the new size can be the reason to draw.
#[test]
fn another_size_is_drawn_at_once() {
    let world = CommandLine::new(PORTALLOC);
    let watched = watched(&world, "1000", "resize and q", &[]);
    assert_clean(&watched);
    assert_eq!(watched["status"], 0, "{watched}");
    let frames: Vec<&str> = watched["seen"].as_str().unwrap().split("\u{1b}[H").collect();
    let second_row = format!("\n{}  ", world.base() + 40);
    assert!(!frames[1].contains(&second_row), "{frames:?}");
    assert!(frames[2].contains(&second_row), "{frames:?}");
    assert!(frames[3].contains("more lines below. Every 16m 40s; q to quit"), "{frames:?}");
    assert_eq!(frames[3].matches('\n').count(), 2, "{frames:?}");
}

#[test]
fn who_stops_it_has_a_clean_terminal_meanwhile() {
    let world = CommandLine::new(PORTALLOC);
    let watched = watched(&world, "1000", "stop and q", &[]);
    assert_clean(&watched);
    for key in ["stopped", "restored_while_stopped", "raw_again"] {
        assert_eq!(watched[key], true, "{key}: {watched}");
    }
    assert_eq!(watched["status"], 0, "{watched}");
}

#[test]
fn no_color_is_heeded_on_a_terminal() {
    let world = CommandLine::new(PORTALLOC);
    let watched = watched(&world, "0.1", "create and q", &[("NO_COLOR", "1")]);
    assert_clean(&watched);
    let seen = watched["seen"].as_str().unwrap();
    let mut sequences = seen.split("\u{1b}[").skip(1).filter_map(|rest| rest.chars().find(char::is_ascii_alphabetic));
    assert!(sequences.all(|end| end != 'm') && seen.contains('K'), "{seen:?}");
}
