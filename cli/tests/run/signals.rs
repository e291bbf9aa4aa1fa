//! Signals of processes, and what a command inherits of them.

use portalloc_testkit::{CommandLine, Running, kill, run};
use rustix::process::Signal;

use crate::PORTALLOC;

/// Says every signal that reaches it, and ends with its standard input.
const LISTENER: &str = r#"
import os, signal, sys
def say(number, _):
    os.write(1, (signal.Signals(number).name + "\n").encode())
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, say)
os.write(1, b"ready\n")
while os.read(0, 1):
    pass
sys.exit(6)
"#;

#[test]
fn each_is_passed_on_once() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let mut run = Running::start(&mut scratch.command(["run", "--", "python3", "-c", LISTENER]));
    assert_eq!(run.line(), "ready");
    let signals = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM, Signal::USR1, Signal::USR2];
    for (signal, name) in signals.into_iter().zip(["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]) {
        run.signal(signal);
        assert_eq!(run.line(), name);
    }
    assert_eq!(run.end(), (6, String::new()), "one came twice");
    scratch.assert_no_environment_left();
}

#[test]
fn one_that_kills_the_command_is_told_as_shells_do() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    for (signal, status) in [(Signal::HUP, 129), (Signal::INT, 130), (Signal::TERM, 143), (Signal::USR1, 138)] {
        let mut run = Running::start(&mut scratch.command(["run", "--", "sh", "-c", "echo ready; exec cat"]));
        assert_eq!(run.line(), "ready");
        run.signal(signal);
        assert_eq!(run.wait(), status);
        scratch.assert_no_environment_left();
    }
}

/// The signals in one of the sets in `/proc/PID/status`, as bits.
fn signals(status: &str, set: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(set)).unwrap_or_default();
    let bits = u64::from_str_radix(line.trim(), 16).unwrap_or_else(|_| unreachable!("no {set} in {status}"));
    // The two above the ordinary ones are the C library's own.
    bits & 0x7fff_ffff
}

const HANG_UP: u64 = 1;
const PIPE: u64 = 1 << 12;
const CHILD: u64 = 1 << 16;

/// What is ignored where the tests run stays so, but for SIGPIPE, which is Rust's own doing, and SIGCHLD.
fn ignored_here() -> u64 {
    signals(&std::fs::read_to_string("/proc/self/status").unwrap_or_default(), "SigIgn:") & !(PIPE | CHILD)
}

#[test]
fn none_is_blocked_and_none_more_is_ignored() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    for options in [&[][..], &["--guard"], &["--listen"]] {
        let words = [&["run"], options, &["--", "cat", "/proc/self/status"]].concat();
        let status = scratch.run(words).succeeded();
        assert_eq!(signals(&status, "SigBlk:"), 0, "{options:?}");
        assert_eq!(signals(&status, "SigIgn:"), ignored_here(), "{options:?}");
    }
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let mut nohup = scratch.program("nohup");
    nohup.args(["portalloc", "run", "--", "sh", "-c", "grep SigIgn /proc/self/status; echo ready; cat; exit 4"]);
    let mut run = Running::start(&mut nohup);
    assert_eq!(signals(&run.line(), "SigIgn:"), ignored_here() | HANG_UP);
    assert_eq!(run.line(), "ready");
    run.signal(Signal::HUP);
    assert_eq!(run.end(), (4, String::new()));
    scratch.assert_no_environment_left();
}

/// Some supervisors ignore SIGCHLD, so that their children leave no zombies, and hand that down. It is not for the
/// command, which may have children whose statuses it needs.
#[test]
fn the_status_is_the_commands_where_the_end_of_children_is_ignored() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let script = r#"
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp("portalloc", ["portalloc", "run", "--", "sh", "-c", "grep SigIgn /proc/self/status; exit 7"])
"#;
    let ran = run(scratch.program("python3").args(["-c", script]));
    assert_eq!((ran.status, ran.stderr.as_str()), (7, ""));
    assert_eq!(signals(&ran.stdout, "SigIgn:") & CHILD, 0);
    scratch.assert_no_environment_left();
}

#[test]
fn one_that_comes_while_it_waits_for_ports_ends_it() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 2);
    let Ok(lease) = scratch.allocator().lease(2) else { unreachable!("the pool is free") };
    let mut run = Running::start(&mut scratch.command(["run", "--ports", "2", "--wait", "1h", "--", "touch", "ran"]));
    run.signal(Signal::TERM);
    assert_eq!(run.wait(), -15);
    drop(lease);
    scratch.run(["cleanup", "--stale"]).succeeded();
    assert!(!scratch.work().join("ran").exists());
    scratch.assert_no_environment_left();
}

#[test]
fn a_command_that_ignores_one_goes_on() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let words = ["run", "--", "sh", "-c", "trap '' TERM; echo $$; exec cat /dev/zero >/dev/null"];
    let mut running = Running::start(&mut scratch.command(words));
    let command = running.line();
    running.signal(Signal::TERM);
    assert_eq!(scratch.environments().len(), 1);
    kill(&command, Signal::KILL);
    assert_eq!(running.wait(), 128 + 9, "it was the other signal that ended it");
    scratch.assert_no_environment_left();
}
