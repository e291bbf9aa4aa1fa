//! `wait --mine`, `stop` and `down` with real processes: what is ended and what is spared.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in helpers of tests, too, a failure is a failed test"
)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc_testkit::{CommandLine, Running, run};
use serde_json::Value;

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");

/// Listens on the port in the first argument, says its PID, and ends when it is asked to.
const SERVER: &str = "import os, socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen()
print(os.getpid(), flush=True)
while True:
    s.accept()[0].close()";

/// A worktree with an environment of two ports.
struct Place {
    world: CommandLine,
    id: String,
    ports: Vec<u16>,
    directory: PathBuf,
}

impl Place {
    fn new() -> Self {
        let world = CommandLine::with_pool_of(PORTALLOC, 4);
        let directory = world.work();
        fs::create_dir_all(directory.join(".git")).unwrap();
        let made = world.run(["env", "--names", "web,db", "--json"]).json();
        let ports = made["ports"]["ports"].as_array().unwrap();
        let ports = ports.iter().map(|port| port.as_u64().unwrap().try_into().unwrap()).collect();
        Self { id: made["isolation_id"].as_str().unwrap().to_owned(), ports, directory, world }
    }

    fn port(&self) -> String {
        self.ports[0].to_string()
    }

    /// A server on the first port, in `directory`, with an isolation ID or none.
    fn server(&self, directory: &Path, id: Option<&str>) -> Running {
        let port = self.port();
        self.start(Command::new("python3").args(["-c", SERVER, &port]), directory, id)
    }

    fn start(&self, command: &mut Command, directory: &Path, id: Option<&str>) -> Running {
        command.current_dir(directory).env_remove("ISOLATION_ID").envs(id.map(|id| ("ISOLATION_ID", id)));
        Running::start(command)
    }

    fn run(&self, arguments: &[&str]) -> portalloc_testkit::Run {
        run(self.world.command(arguments).env_remove("ISOLATION_ID"))
    }

    /// What `stop --json` says, whatever its status, and the status.
    fn stop(&self, arguments: &[&str]) -> (i32, Value) {
        let arguments: Vec<&str> = ["stop", "--json"].iter().chain(arguments).copied().collect();
        let ran = self.run(&arguments);
        let said = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran.status, said)
    }

    /// Fails unless `stop` ends the process for this reason.
    fn ends(&self, pid: &str, reason: &str) {
        let (status, said) = self.stop(&[]);
        let processes = said["processes"].as_array().unwrap();
        let it = processes.iter().find(|process| process["pid"] == pid.parse::<u32>().unwrap());
        let it = it.unwrap_or_else(|| panic!("{pid} is not in {said}"));
        assert_eq!((status, &it["reason"], &it["outcome"]), (0, &reason.into(), &"ended".into()), "{said}");
        assert!(!is_alive(pid), "{pid} runs");
    }

    /// Fails unless `stop` leaves the process, and names it with its directory.
    fn spares(&self, pid: &str, directory: &Path) {
        let (status, said) = self.stop(&[]);
        let foreign = &said["foreign"][0];
        let told = (foreign["pid"].to_string(), foreign["directory"].as_str().unwrap());
        assert_eq!((status, told), (5, (pid.to_owned(), directory.to_str().unwrap())), "{said}");
        assert!(is_alive(pid), "{pid} was ended");
    }
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

#[test]
fn a_server_in_the_worktree_is_ended_and_so_is_one_with_the_id_elsewhere() {
    let place = Place::new();
    let mut inside = place.server(&place.directory, None);
    let pid = inside.line();
    let (status, said) = place.stop(&["--dry-run"]);
    assert_eq!((status, &said["processes"][0]["outcome"]), (0, &"would_end".into()), "{said}");
    assert!(is_alive(&pid));
    place.ends(&pid, "directory");
    let mut with_id = place.server(Path::new("/"), Some(&place.id));
    place.ends(&with_id.line(), "variable");
    let (status, said) = place.stop(&["web"]);
    assert_eq!((status, said["processes"].as_array().unwrap().len()), (0, 0));
}

#[test]
fn what_exec_started_is_ended_wherever_it_runs() {
    let place = Place::new();
    // It erases its variables, and leaves the directory.
    let script = "cd /; exec env -i python3 -c \"$0\" $WEB_PORT";
    let mut server = Running::start(&mut place.world.command(["exec", "--", "sh", "-c", script, SERVER]));
    place.ends(&server.line(), "hold");
    // A child without the hold and without variables, of a shell that has them. The shell is no server.
    let script = "cd /; env -i python3 -c \"$0\" $WEB_PORT; read wait";
    let mut tree = place.start(
        Command::new("sh").args(["-c", script, SERVER]).env("WEB_PORT", place.port()),
        &place.directory,
        Some(&place.id),
    );
    place.ends(&tree.line(), "descent");
}

#[test]
fn a_daemon_that_forked_twice_and_erased_its_variables_is_found_by_its_directory() {
    let place = Place::new();
    let daemon = format!("import os\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n{SERVER}");
    let mut command = Command::new("env");
    command.args(["-i", "/usr/bin/env", "PATH=/usr/bin:/bin", "python3", "-c", &daemon, &place.port()]);
    let mut started = place.start(&mut command, &place.directory, None);
    place.ends(&started.line(), "directory");
}

#[test]
fn another_ones_server_is_named_and_spared() {
    let place = Place::new();
    let elsewhere = place.world.elsewhere().canonicalize().unwrap();
    for (directory, id) in [(&place.directory, Some("ba9876543210")), (&elsewhere, None)] {
        let mut server = place.server(directory, id);
        place.spares(&server.line(), directory);
    }
    // A worktree inside of this one.
    let nested = place.directory.join("trees/b");
    fs::create_dir_all(nested.join(".git")).unwrap();
    let mut server = place.server(&nested, None);
    let pid = server.line();
    place.spares(&pid, &nested);
    let said = place.run(&["stop"]);
    assert!(said.stderr.contains(&format!("PID {pid} (python3) in {}", nested.display())), "{said:?}");
    place.run(&["stop", "1"]).failed_with(2, "invalid_argument");
    place.run(&["stop", "nobody"]).failed_with(2, "invalid_argument");
}

#[test]
fn whoever_asks_is_spared_and_so_is_what_is_above() {
    let place = Place::new();
    // The server is above the command that asks, and in the worktree.
    let script = "import os, socket, subprocess, sys
s = socket.socket()
s.bind(('127.0.0.1', int(sys.argv[1])))
s.listen()
print(subprocess.run([sys.argv[2], 'stop', '--json'], stdout=subprocess.PIPE).returncode, flush=True)
print(subprocess.run([sys.argv[2], 'wait', '--mine', 'web', '--timeout', '0s']).returncode, flush=True)";
    let command = place.world.command([""; 0]);
    let mut above = Command::new("python3");
    above.args(["-c", script, &place.port(), PORTALLOC]).current_dir(&place.directory);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => above.env(name, value),
            None => above.env_remove(name),
        };
    }
    let mut above = Running::start(&mut above);
    assert_eq!((above.line(), above.line()), ("5".to_owned(), "0".to_owned()));
}

#[test]
fn a_shell_that_leads_a_terminal_is_spared() {
    let place = Place::new();
    let leader = format!(
        "import os, pty, sys\npid, terminal = pty.fork()\nif pid:\n    print(os.read(terminal, 99).decode().split()[0], flush=True); sys.stdin.read(); os.kill(pid, 9); sys.exit()\n{SERVER}"
    );
    let mut server = place.start(Command::new("python3").args(["-c", &leader, &place.port()]), &place.directory, None);
    let pid = server.line();
    place.spares(&pid, &place.directory);
    assert_eq!(server.end().0, 0);
}

#[test]
fn a_reloader_is_ended_if_it_is_ours_and_named_if_it_is_not() {
    let place = Place::new();
    let reloader = format!("while :; do python3 -c \"$0\" {}; done", place.port());
    let mut ours = place.start(Command::new("sh").args(["-c", &reloader, SERVER]), &place.directory, None);
    ours.line();
    let (status, said) = place.stop(&[]);
    let supervisor = said["processes"].as_array().unwrap().iter().find(|process| process["supervisor"] == true);
    assert_eq!((status, supervisor.unwrap()["pid"].as_u64()), (0, Some(ours.pid().into())), "{said}");
    assert!(!is_alive(&ours.pid().to_string()));
    assert!(TcpListener::bind(("127.0.0.1", place.ports[0])).is_ok());

    let elsewhere = place.world.elsewhere().canonicalize().unwrap();
    let reloader = format!("while :; do ISOLATION_ID={} python3 -c \"$0\" {}; done", place.id, place.port());
    let mut others = place.start(Command::new("sh").args(["-c", &reloader, SERVER]), &elsewhere, None);
    others.line();
    let (status, said) = place.stop(&[]);
    assert_eq!((status, said["supervisors"][0]["pid"].as_u64()), (1, Some(others.pid().into())), "{said}");
    assert!(is_alive(&others.pid().to_string()));
    others.kill();
    place.stop(&[]);
}

#[test]
fn a_server_that_does_not_end_is_killed() {
    let place = Place::new();
    let stubborn = format!("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVER}");
    let mut server =
        place.start(Command::new("python3").args(["-c", &stubborn, &place.port()]), &place.directory, None);
    let pid = server.line();
    let (status, said) = place.stop(&["--timeout", "50ms"]);
    assert_eq!((status, &said["processes"][0]["outcome"]), (0, &"killed".into()), "{said}");
    assert!(!is_alive(&pid));
}

#[test]
fn inside_of_run_its_environment_is_meant_and_elsewhere_the_worktrees() {
    let place = Place::new();
    let mut server = place.server(&place.directory, None);
    let pid = server.line();
    // A server of its own, and one of the worktree beside it. What asks is no server, and ends last.
    let script = "python3 -c \"$0\" $WEB_PORT >/dev/null & $1 wait --mine web || exit 10
$1 stop --json | grep -q \"isolation_id.*$ISOLATION_ID\" || exit 11
$1 wait web --timeout 20ms; test $? = 3 || exit 12
$1 down --dry-run | grep -q \"PID $2\" || exit 13
ISOLATION_ID=ba9876543210 $1 wait --mine web || exit 14
ISOLATION_ID=nonsense $1 wait --mine web || exit 15
$1 wait --mine web --instance-id other; test $? = 4 || exit 16
mkdir -p nested/.git; cd nested; $1 wait web; test $? = 4 || exit 17";
    let words = ["run", "--names", "web", "--", "sh", "-c", script];
    let ran = place.run(&[&words[..], &[SERVER, PORTALLOC, &pid]].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(is_alive(&pid));
    // A leftover of a run that has ended.
    let gone = "eval \"$($0 create --names web --format shell)\"; $0 cleanup --id $ISOLATION_ID; $0 wait --mine web";
    let ran = place.run(&["exec", "--", "sh", "-c", gone, PORTALLOC]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn a_word_that_names_no_port_is_refused_before_anything_is_looked_up() {
    let world = CommandLine::new(PORTALLOC);
    for word in ["", "a b", "a\u{1b}[2J", "1x", "0"] {
        for command in ["wait", "stop"] {
            world.run([command, word]).failed_with(2, "invalid_argument");
        }
    }
    world.run(["port", "a b", "--ensure"]).failed_with(2, "invalid_argument");
    world.run(["wait", "web"]).failed_with(4, "not_found");
    world.assert_no_environment_left();
}

#[test]
fn udp_sockets_and_bound_ones_count() {
    let place = Place::new();
    for kind in ["SOCK_DGRAM", "SOCK_STREAM"] {
        let script = format!(
            "import os, socket, sys\ns = socket.socket(type=socket.{kind})\ns.bind(('127.0.0.1', int(sys.argv[1])))
print(os.getpid(), flush=True)\nsys.stdin.read()"
        );
        let mut server =
            place.start(Command::new("python3").args(["-c", &script, &place.port()]), &place.directory, None);
        place.ends(&server.line(), "directory");
    }
}

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

/// Answers with the status that the path names, except for `/slow`, which has no answer.
const HTTP: &str = "import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/slow': time.sleep(3600)
        self.send_response(int(self.path[1:]))
        self.send_header('Location', '/500')
        self.end_headers()
    def log_message(self, *words): pass
server = ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
print(os.getpid(), flush=True)
server.serve_forever()";

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

#[test]
fn down_ends_servers_and_removes_the_environment_unless_somebody_works_in_it() {
    let place = Place::new();
    let mut server = Running::start(&mut place.world.command(["exec", "--", "python3", "-c", SERVER, "{web}"]));
    let pid = server.line();
    let mut shell = Running::start(&mut place.world.command(["exec", "--", "sh", "-c", "echo $$; read wait"]));
    let other = shell.line();
    let said = place.run(&["down"]).failed_with(5, "in_use");
    assert!(said.contains(&format!("PID {other} (sh)")) && !said.contains(&pid), "{said}");
    assert!(is_alive(&pid) && is_alive(&other));
    let said = place.run(&["cleanup", "--id", &place.id]).failed_with(5, "in_use");
    assert!(said.contains(&other) && said.contains(&pid), "{said}");
    assert_eq!(shell.end().0, 1);
    let said = place.run(&["down", "--json"]).json();
    assert_eq!((&said["removed"], said["processes"][0]["pid"].to_string()), (&true.into(), pid.clone()), "{said}");
    assert!(!is_alive(&pid));
    place.world.assert_no_environment_left();
    place.run(&["down"]).failed_with(4, "not_found");
    place.run(&["stop"]).failed_with(4, "not_found");
    place.run(&["wait", "--timeout", "100ms"]).failed_with(4, "not_found");
}

#[test]
fn down_leaves_what_is_not_its_own() {
    let place = Place::new();
    let mut server = place.server(Path::new("/"), None);
    let pid = server.line();
    let said = place.run(&["down"]);
    assert!(said.status == 5 && said.stderr.contains("stays"), "{said:?}");
    assert!(is_alive(&pid));
    place.run(&["port", "web"]).succeeded();
}
