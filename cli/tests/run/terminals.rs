//! At a terminal: what is typed reaches the whole foreground, and a hang-up the leader of its session.

use portalloc_testkit::{CommandLine, run};

use crate::PORTALLOC;

/// `terminal.py LEADER LOG`: runs a command at a terminal of its own, which then hangs up. The command notes the
/// signals that reach it, and gives up on the first after a minute, on more soon after it.
const HANG_UP: &str = r#"
import os, pty, subprocess, sys
leader, log = sys.argv[1] == "leader", sys.argv[2]
command = '''
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
os.open(sys.argv[1] + ".ready", os.O_CREAT | os.O_WRONLY)
seen, patience = [], 60
while True:
    info = signal.sigtimedwait([signal.SIGHUP], patience)
    if info is None:
        break
    seen.append(signal.Signals(info.si_signo).name)
    patience = 0.3
with open(sys.argv[1] + ".part", "w") as file:
    file.write(" ".join(seen) + ".")
os.rename(sys.argv[1] + ".part", sys.argv[1])
'''
pid, terminal = pty.fork()
if pid == 0:
    words = ["portalloc", "run", "--", "python3", "-c", command, log]
    if leader:
        os.execvp(words[0], words)
    os._exit(subprocess.call(words))
while not os.path.exists(log + ".ready"):
    os.sched_yield()
os.close(terminal)
os.waitpid(pid, 0)
while not os.path.exists(log):
    os.sched_yield()
print(open(log).read())
"#;

fn hang_up(who: &str) -> String {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let mut python = scratch.program("python3");
    let said = run(python.args(["-c", HANG_UP, who]).arg(scratch.path().join("log"))).succeeded();
    portalloc_testkit::until("all is gone", || {
        scratch.run(["cleanup", "--stale"]).succeeded();
        scratch.environments().is_empty()
    });
    scratch.assert_no_environment_left();
    said
}

/// As in `tmux new 'portalloc run ...'`, `ssh -t host portalloc run ...`, `docker run -t`: the kernel tells the leader
/// of the session alone, which is `run`.
#[test]
fn a_hang_up_reaches_the_command_of_a_leader_once() {
    assert_eq!(hang_up("leader"), "SIGHUP.\n");
}

#[test]
fn a_hang_up_reaches_the_command_of_a_shell_once() {
    assert_eq!(hang_up("shell"), "SIGHUP.\n");
}

#[test]
fn what_is_typed_ends_the_command_and_then_it() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let script = r#"
import os, pty
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("portalloc", ["portalloc", "run", "--", "sh", "-c", "echo ready; exec cat"])
seen = b""
while b"ready" not in seen:
    seen += os.read(terminal, 1024)
os.write(terminal, b"\x03")
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;
    assert_eq!(run(scratch.program("python3").args(["-c", script])).succeeded(), "130\n");
    scratch.assert_no_environment_left();
}

#[test]
fn a_typed_interrupt_reaches_the_command_once() {
    let scratch = CommandLine::new(PORTALLOC);
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
    python.args(["-c", typed, "portalloc", "run", "--", "sh", "-c", command]);
    assert_eq!(run(&mut python).succeeded().trim(), "5 1");
    scratch.assert_nothing_left(&[]);
}
