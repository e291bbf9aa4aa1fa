//! `portalloc run`: what the command sees, how it ends, what signals do, and what is left when any part is killed.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

mod servers;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::scratch::{Scratch, names, run, until};

/// `run` with a shell script as its command.
fn script(scratch: &Scratch, options: &[&str], script: &str) -> crate::scratch::Run {
    let portalloc =
        ["portalloc", "run"].iter().chain(options).map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    run(&mut scratch.sh(&format!("exec {portalloc} -- sh -euc '{}'", script.replace('\'', r"'\''"))))
}

/// A `run` that is going on, and its lines.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(scratch: &Scratch, script: &str) -> Self {
        let mut command = scratch.command(["run", "--names", "web", "--", "sh", "-c", script]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

fn kill(pid: &str, signal: Signal) {
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), signal).unwrap();
}

#[test]
fn the_command_finds_its_ports_and_leaves_nothing() {
    let scratch = Scratch::new();
    let said = script(
        &scratch,
        &["--names", "web,db"],
        r#"test "$PORT_COUNT" = 2; test -d "$TEMP_DIR"; test -z "$(ls -A "$TEMP_DIR")"; portalloc validate >/dev/null
           echo x > "$TEMP_DIR/file"; echo "$WEB_PORT {web} {0} $DB_PORT {db} {1}" '{other} {"a": {2}} {'"#,
    )
    .succeeded();
    let words: Vec<&str> = said.split_whitespace().collect();
    assert!(scratch.ports().contains(&words[0].parse().unwrap()), "{said}");
    assert_eq!([words[1], words[2]], [words[0]; 2]);
    assert_eq!([words[4], words[5]], [words[3]; 2]);
    assert!(said.trim_end().ends_with(r#"{other} {"a": {2}} {"#), "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn its_end_is_the_commands() {
    let scratch = Scratch::new();
    for status in [0, 1, 7, 255] {
        assert_eq!(script(&scratch, &[], &format!("exit {status}")).status, status);
    }
    assert_eq!(script(&scratch, &[], "kill -TERM $$").status, 128 + 15);
    assert_eq!(script(&scratch, &[], "kill -KILL $$").status, 128 + 9);
    scratch.run(["run", "--", "no-such-command"]).failed_with(127, "not_found");
    scratch.run(["run", "--listen", "--", "no-such-command"]).failed_with(127, "not_found");
    scratch.run(["run", "--", "/etc/passwd"]).failed_with(126, "permission_denied");
    assert_eq!(scratch.run(["run", "--ports", "0", "--", "true"]).status, 2);
    assert_eq!(scratch.run(["run"]).status, 2);
    assert_eq!(scratch.run(["run", "-w", "/no/such/folder", "--", "true"]).status, 2);
    scratch.assert_nothing_left(&[]);
}

#[test]
fn an_env_file_is_written_only_if_it_is_asked_for() {
    let scratch = Scratch::new();
    assert_eq!(script(&scratch, &[], "ls -A").succeeded(), "");
    assert_eq!(script(&scratch, &["--env-file"], "ls -A").succeeded(), ".env.isolation\n");
    assert_eq!(script(&scratch, &["--env-file=own.env"], "ls -A").succeeded(), "own.env\n");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_signal_reaches_the_command_once() {
    let scratch = Scratch::new();
    let mut running = Running::start(
        &scratch,
        "n=0; trap 'n=$((n+1)); echo got $n' TERM INT HUP USR1; trap 'echo bye; exit 9' USR2
         grep SigBlk /proc/self/status; echo ready; while :; do sleep 0.01; done",
    );
    assert_eq!(running.line().split_whitespace().last().unwrap(), "0000000000000000", "signals are blocked");
    assert_eq!(running.line(), "ready");
    for (count, signal) in (1..).zip([Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1]) {
        running.send(signal);
        assert_eq!(running.line(), format!("got {count}"), "{signal:?}");
    }
    running.send(Signal::USR2);
    assert_eq!(running.line(), "bye");
    assert_eq!(running.child.wait().unwrap().code(), Some(9));
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_command_that_ignores_a_signal_goes_on() {
    let scratch = Scratch::new();
    let mut running = Running::start(&scratch, "trap '' TERM; echo $$; exec cat /dev/zero >/dev/null");
    let command = running.line();
    running.send(Signal::TERM);
    assert_eq!(scratch.environments().len(), 1);
    assert!(running.child.try_wait().unwrap().is_none());
    kill(&command, Signal::KILL);
    assert_eq!(running.child.wait().unwrap().code(), Some(137));
    scratch.assert_nothing_left(&[]);
}

#[test]
fn killed_itself_it_leaves_the_ports_to_the_command_and_nothing_after_it() {
    let scratch = Scratch::new();
    let mut running = Running::start(&scratch, "echo $$ $WEB_PORT; exec cat /dev/zero >/dev/null");
    let line = running.line();
    let (command, port) = line.split_once(' ').unwrap();
    let port: u16 = port.parse().unwrap();
    running.send(Signal::KILL);
    assert_eq!(running.child.wait().unwrap().signal(), Some(9));
    assert!(!scratch.allocator().is_free(port).unwrap(), "the command lives");
    scratch.run(["cleanup", "--stale"]).succeeded();
    assert_eq!(names(&scratch.temp()).len(), 1, "its temp dir is the command's");
    kill(command, Signal::KILL);
    until("the port is free", || scratch.allocator().is_free(port).unwrap());
    until("all is swept", || {
        scratch.run(["cleanup", "--stale"]).succeeded();
        names(&scratch.temp()).is_empty()
    });
    scratch.assert_nothing_left(&[]);
}

#[test]
fn what_it_leaves_running_keeps_the_ports() {
    let scratch = Scratch::new();
    let said = script(&scratch, &["--names", "web"], "cat /dev/zero >/dev/null 2>&1 & echo $! $WEB_PORT").succeeded();
    let (left, port) = said.trim().split_once(' ').unwrap();
    let port: u16 = port.parse().unwrap();
    assert!(!scratch.allocator().is_free(port).unwrap());
    assert_eq!(scratch.environments()[0]["status"], "active");
    kill(left, Signal::KILL);
    until("the port is free", || scratch.allocator().is_free(port).unwrap());
    scratch.run(["cleanup", "--stale"]).succeeded();
    scratch.assert_nothing_left(&[]);
}

#[test]
fn one_inside_another_has_its_own() {
    let scratch = Scratch::new();
    let said = script(
        &scratch,
        &["--names", "a"],
        r#"echo $ISOLATION_ID $A_PORT; portalloc run --names b -- sh -c 'echo $ISOLATION_ID $B_PORT'; echo $ISOLATION_ID $A_PORT"#,
    )
    .succeeded();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], lines[2]);
    let (outer, inner) = (lines[0].split_once(' ').unwrap(), lines[1].split_once(' ').unwrap());
    assert!(outer.0 != inner.0 && outer.1 != inner.1, "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn at_the_descriptor_limit_it_fails_and_leaves_nothing() {
    let scratch = Scratch::new();
    for limit in [8, 9, 12] {
        let ran = run(&mut scratch.sh(&format!("ulimit -n {limit}; exec portalloc run --guard --ports 20 -- true")));
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.stderr.contains("ulimit -n") || ran.stderr.contains("open files"), "{}", ran.stderr);
        scratch.assert_nothing_left(&[]);
    }
}

#[test]
fn a_terminals_interrupt_reaches_the_command_once() {
    let scratch = Scratch::new();
    // A real terminal: Ctrl-C is typed into it, and the line discipline signals both processes.
    let typed = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
seen, interrupted = b"", False
while True:
    try:
        part = os.read(terminal, 1024)
    except OSError:
        break
    if not part:
        break
    seen += part
    if b"ready" in seen and not interrupted:
        interrupted = True
        os.write(terminal, b"\x03")
    if b"got 1" in seen and b"asked" not in seen:
        os.write(terminal, b"end\n")
        seen += b" asked"
status = os.waitpid(pid, 0)[1]
print(os.waitstatus_to_exitcode(status), seen.count(b"got"))
"#;
    let command = "n=0; trap 'n=$((n+1)); echo got $n' INT; echo ready; while ! read line; do :; done; exit 5";
    let mut python = scratch.program("python3");
    python.args(["-c", typed, crate::scratch::PORTALLOC, "run", "--", "sh", "-c", command]);
    assert_eq!(run(&mut python).succeeded().trim(), "5 1");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn sticky_ports_come_back_for_each_of_two_work_trees_of_one_name() {
    let scratch = Scratch::new();
    let port = |tree: &str, rest: &str| {
        let script = format!(
            "mkdir -p {tree}/project; cd {tree}/project; exec portalloc run --sticky --names web -- sh -euc 'echo $WEB_PORT; {rest}'"
        );
        run(&mut scratch.sh(&script)).succeeded()
    };
    let both = port(
        "a",
        "cd ../../; mkdir -p b/project; cd b/project; portalloc run --sticky --names web -- sh -c \"echo \\$WEB_PORT\"",
    );
    let (a, b) = both.trim().split_once('\n').unwrap();
    assert_ne!(a, b);
    for _ in 0..2 {
        assert_eq!(port("b", "true").trim(), b);
        assert_eq!(port("a", "true").trim(), a);
    }
    let _taken = scratch.allocator().lease(portalloc::Request::these([a.parse().unwrap()])).unwrap();
    assert_ne!(port("a", "true").trim(), a, "never at the price of exclusivity");
}
