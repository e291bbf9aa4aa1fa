//! What `stop` ends, and what it spares.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use portalloc_testkit::{CommandLine, Running};

use crate::place::{PORTALLOC, Place, SERVER, is_alive};

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
        "import os, pty, sys\npid, terminal = pty.fork()\nif pid:
    print(os.read(terminal, 99).decode().split()[0], flush=True); sys.stdin.read(); os.kill(pid, 9); sys.exit()\n{SERVER}"
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
$1 wait --mine web --instance-id other --timeout 0s; test $? = 4 || exit 16
mkdir -p nested/.git; cd nested; $1 wait web --timeout 0s; test $? = 4 || exit 17";
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
    world.run(["wait", "web", "--timeout", "0s"]).failed_with(4, "not_found");
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
