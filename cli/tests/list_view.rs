//! `portalloc list --map` and `--watch`: what people look at. Terminals are real ones, of the helper `list_view.py`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

#[path = "../../tests/src/slice.rs"]
mod slice;

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use portalloc::pool::PortSet;
use portalloc::{Allocator, Lease, Settings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");
const PATIENCE: Duration = Duration::from_secs(60);

/// A registry of its own, and sixty ports that no other test has.
struct Place {
    folder: TempDir,
    slice: Lease,
    pool: String,
}

impl Place {
    fn new() -> Self {
        let (slice, pool) = slice::slice(60);
        Self { folder: tempfile::tempdir().unwrap(), slice, pool }
    }

    fn first(&self) -> u16 {
        self.slice.base_port()
    }

    fn allocator(&self) -> Allocator {
        Settings::new().directory(self.folder.path().join("registry")).pool(&self.pool).exclude("").open().unwrap()
    }

    fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in ["ISOLATION_ID", "NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "COLUMNS", "PORTALLOC_EXCLUDE"] {
            command.env_remove(name);
        }
        command
            .env("PORTALLOC_DIR", self.folder.path().join("registry"))
            .env("PORTALLOC_POOL", &self.pool)
            .env("TMPDIR", self.folder.path())
            .env("TERM", "xterm-256color")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(PORTALLOC);
        command.args(arguments);
        command
    }

    fn said(&self, arguments: &[&str]) -> String {
        succeeded(&mut self.command(arguments))
    }

    fn create(&self, options: &[&str]) -> Vec<u16> {
        let created = self.said(&[&["create", "--json", "--no-env-file"], options].concat());
        let created: Value = serde_json::from_str(&created).unwrap();
        serde_json::from_value(created["ports"]["ports"].clone()).unwrap()
    }

    /// What this process lets go of, a program that another thread is just starting may still have for a moment.
    fn until_map_says(&self, expected: &str) {
        let start = Instant::now();
        loop {
            let said = self.said(&["list", "--map"]);
            if said.ends_with(expected) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{said}");
        }
    }

    /// What the helper saw of a watch at this interval that ends like that.
    fn watched(&self, interval: &str, ending: &str, variables: &[(&str, &str)]) -> Value {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/list_view.py");
        let mut python = self.program("python3");
        python.args([script, PORTALLOC, interval, ending]).envs(variables.iter().copied());
        serde_json::from_str(&succeeded(&mut python)).unwrap()
    }
}

fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
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
    fn new(place: &Place) -> Self {
        let lease = place.allocator().lease(3).unwrap();
        let kept = place.create(&["--ports", "2"]);
        let mut owner = Command::new("sleep").arg("1000").spawn().unwrap();
        let stale = place.create(&["--ports", "4", "--owner-pid", &owner.id().to_string()]);
        owner.kill().unwrap();
        owner.wait().unwrap();
        let taken = [lease.ports(), &kept, &stale].concat();
        let mut others = (place.first()..).filter(|port| !taken.contains(port));
        let strangers = (
            TcpListener::bind((Ipv4Addr::LOCALHOST, others.next().unwrap())).unwrap(),
            UdpSocket::bind((Ipv4Addr::LOCALHOST, others.next().unwrap())).unwrap(),
        );
        let mut this = Self { lease, kept, stale, strangers, cells: Vec::new() };
        this.cells = (place.first()..).take(60).map(|port| this.cell(port)).collect();
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
    let place = Place::new();
    let everything = Everything::new(&place);
    let said = succeeded(place.command(&["list", "--map"]).env("COLUMNS", "80"));
    assert!(said.contains(&format!("\n\nPOOL {}: 60 ports\n", place.pool)), "{said}");
    assert_eq!(rows(&said), [(place.first(), everything.cells.clone())], "{said}");
    assert!(said.ends_with("\n. 49 free   # 3 held   K 2 kept   s 4 stale   x 2 strangers\n"), "{said}");
    assert!(!said.contains('\u{1b}') && said.lines().all(|line| line.chars().count() <= 80), "{said}");
    // What is gone is free again; a stranger on a port that is claimed is the claim's matter.
    let on_kept = TcpListener::bind((Ipv4Addr::LOCALHOST, everything.kept[0])).unwrap();
    let stranger = everything.strangers()[0];
    drop((everything.lease, everything.strangers));
    place.until_map_says("\n. 54 free   # 0 held   K 2 kept   s 4 stale   x 0 strangers\n");
    drop(on_kept);
    // One that is bound and does not listen, where the kernel shows it; else the map says that it does not.
    let socket = socket_that_does_not_listen(stranger);
    let said = place.said(&["list", "--map"]);
    assert!(said.contains("x 1 stranger\n") || said.contains("This kernel does not show"), "{said}");
    drop(socket);
}

/// A TCP socket that is bound, and nothing more.
fn socket_that_does_not_listen(port: u16) -> std::process::Child {
    let script = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); print(flush=True); sys.stdin.read()";
    let mut command = Command::new("python3");
    let command = command.args(["-c", script, &port.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    child
}

#[test]
fn it_is_as_wide_as_there_is_room() {
    let place = Place::new();
    let everything = Everything::new(&place);
    for (columns, cells) in
        [("40", 30), ("39", 30), ("38", 20), ("28", 20), ("27", 10), ("17", 10), ("16", 9), ("12", 5)]
    {
        let said = succeeded(place.command(&["list", "--map"]).env("COLUMNS", columns));
        let expected: Vec<(u16, Vec<char>)> =
            (place.first()..).step_by(cells).zip(everything.cells.chunks(cells).map(<[char]>::to_vec)).collect();
        assert_eq!(rows(&said), expected, "{columns}:\n{said}");
    }
}

#[test]
fn a_map_may_be_of_another_pool() {
    let place = Place::new();
    let first = place.first();
    let (pool, out) = (format!("{first}-{}", first + 9), format!("{}-{}", first + 2, first + 4));
    let said = place.said(&["list", "--map", "--pool", &pool, "--exclude", &out]);
    assert_eq!(rows(&said), [(first, "..---.....".chars().collect())], "{said}");
    assert!(said.contains("POOL ") && said.ends_with("   - not in the pool\n"), "{said}");
    std::fs::write(place.folder.path().join("portalloc.toml"), format!("pool = \"{pool}\"\n")).unwrap();
    let declared = succeeded(place.command(&["list", "--map"]).env_remove("PORTALLOC_POOL"));
    assert_eq!(rows(&declared), [(first, vec!['.'; 10])], "{declared}");
    let refused = place.command(&["list", "--pool", &pool]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "a pool without a map");
}

#[test]
fn json_has_ranges_by_class() {
    let place = Place::new();
    let everything = Everything::new(&place);
    let said: Value = serde_json::from_str(&place.said(&["list", "--map", "--json"])).unwrap();
    assert!(said["environments"].is_array() && said["leases"].is_array(), "{said}");
    let pool = &said["pool"];
    assert_eq!((&pool["asked"], &pool["ports"]), (&place.pool.as_str().into(), &60.into()));
    assert!(pool["complete"].is_boolean(), "{said}");
    let classes = pool["classes"].as_array().unwrap();
    let names: Vec<&str> = classes.iter().map(|class| class["class"].as_str().unwrap()).collect();
    assert_eq!(names, ["free", "held", "kept", "stale", "stranger"]);
    for (class, symbol) in classes.iter().zip(['.', '#', 'K', 's', 'x']) {
        let ports: Vec<u16> = PortSet::parse(class["ranges"].as_str().unwrap()).unwrap().ports().collect();
        let expected: Vec<u16> = (place.first()..)
            .zip(&everything.cells)
            .filter(|(_, cell)| **cell == symbol)
            .map(|(port, _)| port)
            .collect();
        assert_eq!(ports, expected, "{class}");
        assert_eq!(class["count"], ports.len(), "{class}");
    }
    let without: Value = serde_json::from_str(&place.said(&["list", "--json"])).unwrap();
    assert!(without.get("pool").is_none(), "{without}");
}

#[test]
fn into_a_pipe_it_is_shown_one_after_the_other() {
    let place = Place::new();
    let once = place.said(&["list", "--map"]);
    let mut watching = place.command(&["list", "--map", "--watch=0.05"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut shown = BufReader::new(watching.stdout.take().unwrap());
    let mut text = String::new();
    let expected = format!("{once}\n{once}\n");
    while text.len() < expected.len() {
        assert_ne!(shown.read_line(&mut text).unwrap(), 0, "it ended:\n{text}");
    }
    assert_eq!(text, expected);
    let pid = Pid::from_raw(watching.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(128 + 15));
}

#[test]
fn a_reader_who_has_seen_enough_ends_it() {
    let place = Place::new();
    let mut watching =
        place.command(&["list", "--watch=0.05"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(watching.stdout.take());
    let start = Instant::now();
    while watching.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < PATIENCE, "it goes on");
        std::thread::yield_now();
    }
    assert!(watching.wait_with_output().unwrap().stderr.is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = Place::new();
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
        let output = place.command(&[&["list"], bad].concat()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{bad:?}");
        assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"), "{bad:?}");
    }
}

/// Fails unless the terminal is as before, and the last that it got puts it so.
fn assert_clean(watched: &Value) {
    let seen = watched["seen"].as_str().unwrap();
    assert_eq!((&watched["raw"], &watched["restored"]), (&true.into(), &true.into()), "{watched}");
    assert!(seen.starts_with("\u{1b}[?1049h\u{1b}[?7l\u{1b}[?25l"), "{seen:?}");
    let (_, after) = seen.rsplit_once("ends it").unwrap();
    assert!(after.contains("\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"), "{seen:?}");
}

#[test]
fn on_a_terminal_it_is_drawn_anew_until_q() {
    let place = Place::new();
    let watched = place.watched("0.1", "create and q", &[]);
    assert_clean(&watched);
    assert_eq!(watched["status"], 0, "{watched}");
    let seen = watched["seen"].as_str().unwrap();
    assert!(seen.ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{seen:?}");
    assert!(seen.contains("\u{1b}[36mK"), "in colour: {seen:?}");
    assert!(!seen.contains("xq"), "keys are not echoed: {seen:?}");
}

#[test]
fn signals_leave_a_clean_terminal_too() {
    let place = Place::new();
    for (ending, status) in [("terminate", 128 + 15), ("interrupt", 128 + 2)] {
        let watched = place.watched("1000", ending, &[]);
        assert_clean(&watched);
        assert_eq!(watched["status"], status, "{watched}");
        assert!(watched["seen"].as_str().unwrap().ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{watched}");
    }
}

#[test]
fn an_error_is_told_on_a_clean_terminal() {
    let place = Place::new();
    let watched = place.watched("0.1", "fail", &[]);
    assert_clean(&watched);
    assert_eq!(watched["status"], 1, "{watched}");
    let seen = watched["seen"].as_str().unwrap();
    let (_, after) = seen.rsplit_once("\u{1b}[?1049l").unwrap();
    assert!(after.contains("registry_unusable"), "{seen:?}");
}

/// The interval is far longer than the test: only the new size can be the reason to draw.
#[test]
fn another_size_is_drawn_at_once() {
    let place = Place::new();
    let watched = place.watched("1000", "resize and q", &[]);
    assert_clean(&watched);
    assert_eq!(watched["status"], 0, "{watched}");
    let frames: Vec<&str> = watched["seen"].as_str().unwrap().split("\u{1b}[H").collect();
    let second_row = format!("\n{}  ", place.first() + 40);
    assert!(!frames[1].contains(&second_row), "{frames:?}");
    assert!(frames[2].contains(&second_row), "{frames:?}");
    assert!(frames[3].contains("more lines below. Every 16m 40s; q ends it"), "{frames:?}");
    assert_eq!(frames[3].matches('\n').count(), 2, "{frames:?}");
}

#[test]
fn who_stops_it_has_a_clean_terminal_meanwhile() {
    let place = Place::new();
    let watched = place.watched("1000", "stop and q", &[]);
    assert_clean(&watched);
    for key in ["stopped", "restored_while_stopped", "raw_again"] {
        assert_eq!(watched[key], true, "{key}: {watched}");
    }
    assert_eq!(watched["status"], 0, "{watched}");
}

#[test]
fn no_color_is_heeded_on_a_terminal() {
    let place = Place::new();
    let watched = place.watched("0.1", "create and q", &[("NO_COLOR", "1")]);
    assert_clean(&watched);
    let seen = watched["seen"].as_str().unwrap();
    let mut sequences = seen.split("\u{1b}[").skip(1).filter_map(|rest| rest.chars().find(char::is_ascii_alphabetic));
    assert!(sequences.all(|end| end != 'm') && seen.contains('K'), "{seen:?}");
}
