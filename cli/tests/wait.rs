//! `portalloc wait` from end to end. What counts as open and as free is tested in the core; here it is arguments,
//! messages and exit statuses, and a network of its own in which connections meet themselves.

#![expect(clippy::unwrap_used, reason = "in helpers of tests, too, a failure is a failed test")]
#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

#[path = "../../tests/src/slice.rs"]
mod slice;

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use portalloc::Lease;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A registry of its own, and ports that no other test has.
struct Place {
    folder: TempDir,
    _slice: Lease,
    ports: Vec<u16>,
    pool: String,
}

impl Place {
    fn new(count: usize) -> Self {
        let (slice, pool) = slice::slice(count);
        Self { folder: tempfile::tempdir().unwrap(), ports: slice.ports().to_vec(), _slice: slice, pool }
    }

    fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove("ISOLATION_ID")
            .env_remove("PORTALLOC_EXCLUDE")
            .env("PORTALLOC_DIR", self.folder.path().join("registry"))
            .env("PORTALLOC_POOL", &self.pool)
            .env("TMPDIR", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_portalloc"));
        command.args(arguments.split_whitespace());
        command
    }

    /// Exit status and standard error of a command without a result.
    fn run(&self, arguments: &str) -> (i32, String) {
        ended(self.command(arguments).output().unwrap())
    }
}

fn ended(output: Output) -> (i32, String) {
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "nothing is written to standard output");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

const DONE: (i32, String) = (0, String::new());

#[test]
fn until_servers_are_there() {
    let place = Place::new(2);
    let [there, later] = place.ports[..] else { panic!("two ports") };
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, there)).unwrap();
    let waiting = place.command(&format!("wait {later} {there} --timeout 60s")).spawn().unwrap();
    // It has looked at both, the later one first.
    first.accept().unwrap();
    let _second = TcpListener::bind((Ipv6Addr::LOCALHOST, later)).unwrap();
    assert_eq!(ended(waiting.wait_with_output().unwrap()), DONE);
}

#[test]
fn until_ports_are_free() {
    let place = Place::new(1);
    let port = place.ports[0];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut waiting = place.command(&format!("wait {port} --free -t 60s")).spawn().unwrap();
    // The pause after the first look is the one thing in it that sleeps.
    let stat = Path::new("/proc").join(waiting.id().to_string()).join("stat");
    let start = Instant::now();
    while !fs::read_to_string(&stat).unwrap().contains("(portalloc) S ") {
        assert!(start.elapsed() < PATIENCE && waiting.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    drop(listener);
    assert_eq!(ended(waiting.wait_with_output().unwrap()), DONE);
}

#[test]
fn a_time_that_is_over_says_what_was_seen() {
    let place = Place::new(4);
    let [first, _, _, last] = place.ports[..] else { panic!("four ports") };
    let (status, said) = place.run(&format!("wait {first}-{last} --timeout 20ms"));
    let expected =
        format!("portalloc: timeout: waited 20ms: ports {first}-{last}: connection refused on 127.0.0.1 and ::1;");
    assert!(status == 3 && said.starts_with(&expected), "{status} {said}");
    assert_eq!(said.lines().count(), 1, "{said}");

    let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, last)).unwrap();
    let (status, said) = place.run(&format!("wait {first},{last} --free --timeout 0s"));
    let expected = format!("portalloc: timeout: waited 0s: port {last}: still bound (tcp);");
    assert!(status == 3 && said.starts_with(&expected), "{status} {said}");
}

#[test]
fn an_environment_by_its_id() {
    let place = Place::new(3);
    let created = place.command("create --ports 3 --no-env-file --json").output().unwrap();
    let created: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    let id = created["isolation_id"].as_str().unwrap();
    assert_eq!(place.run(&format!("wait --id {id} --free --timeout 0s")), DONE);
    let mut listeners = place.ports.iter().map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).unwrap());
    let two: Vec<_> = listeners.by_ref().take(2).collect();
    let (status, said) = place.run(&format!("wait --id {id} --timeout 0s"));
    assert!(status == 3 && said.contains(&format!(": port {}: ", place.ports[2])), "{said}");
    let _last = listeners.next().unwrap();
    assert_eq!(place.run(&format!("wait --id {id}")), DONE);
    drop(two);
    assert!(place.command(&format!("cleanup --id {id}")).output().unwrap().status.success());
    let (status, said) = place.run(&format!("wait --id {id}"));
    assert!(status == 4 && said.starts_with("portalloc: not_found: ") && said.contains(id), "{status} {said}");
}

#[test]
fn bad_arguments() {
    let place = Place::new(1);
    for bad in [
        "wait",
        "wait --free",
        "wait 0",
        "wait 70000",
        "wait 5-",
        "wait words",
        "wait --id ../../x",
        "wait 20010 --id 0123456789ab",
        "wait 20010 --timeout soon",
        "wait 20010 --timeout -1s",
    ] {
        let (status, said) = place.run(bad);
        assert!(status == 2 && !said.is_empty() && !said.contains("panicked"), "{bad}: {status} {said}");
    }
}

/// Where the ephemeral range is two ports, every connection to one of them sooner or later comes from that very port.
#[test]
fn a_connection_that_meets_itself_is_no_server_and_leaves_nothing_behind() {
    let place = Place::new(1);
    let prepare = "ip link set lo up; echo 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range";
    let works = |flags: &&[&str]| {
        let tried = Command::new("unshare").args(*flags).args(["sh", "-euc", prepare]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let ways: [&[&str]; 2] = [&["--net"], &["--net", "--user", "--map-root-user"]];
    let Some(flags) = ways.into_iter().find(works) else {
        assert!(std::env::var_os("CI").is_none(), "no network namespace can be made here, but CI must run this test");
        eprintln!("SKIPPED: no network namespace can be made here");
        return;
    };
    let script = format!(
        "{prepare}; \"$0\" wait 40000 40001 --timeout 200ms || test $? = 3; \
         exec \"$0\" wait 40000 40001 --free --timeout 0s"
    );
    let mut command = place.program("unshare");
    command.args(flags).args(["sh", "-euc", &script, env!("CARGO_BIN_EXE_portalloc")]);
    let (status, said) = ended(command.output().unwrap());
    let lines: Vec<_> = said.lines().filter(|line| !line.contains("warning")).collect();
    assert_eq!(status, 0, "{said}");
    assert!(
        matches!(lines[..], [line] if line.contains(": ports 40000-40001: connection refused on 127.0.0.1 and ::1;")),
        "{said}"
    );
}
