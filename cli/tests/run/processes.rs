//! Who outlives whom.

use portalloc::LeaseRequest;
use portalloc_testkit::{CommandLine, Running, kill, names, until};
use rustix::process::Signal;

use crate::PORTALLOC;

fn can_be_leased(scratch: &CommandLine, port: u16) -> bool {
    scratch.allocator().lease(LeaseRequest::exact([port])).is_ok()
}

#[test]
fn what_the_command_leaves_running_is_swept_after_its_end_and_not_before() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let script = "cat /dev/zero >/dev/null 2>&1 & echo $! $WEB_PORT $ISOLATION_ID";
    let said = scratch.run(["run", "--names", "web", "--", "sh", "-c", script]).succeeded();
    let words: Vec<&str> = said.split_whitespace().collect();
    let port = words[1].parse().unwrap();
    for _ in 0..3 {
        assert!(!scratch.run(["cleanup", "--stale"]).succeeded().contains(words[2]));
        assert!(!can_be_leased(&scratch, port));
        assert_eq!(names(scratch.temp()), [format!("portalloc-{}", words[2])], "its temp dir is still in use");
        assert_eq!(scratch.environments()[0]["status"], "active");
    }
    kill(words[0], Signal::KILL);
    until("its port can be leased", || can_be_leased(&scratch, port));
    assert_eq!(scratch.environments()[0]["status"], "stale");
    assert!(scratch.run(["cleanup", "--stale"]).succeeded().contains(words[2]));
    scratch.assert_no_environment_left();
}

#[test]
fn whoever_closes_what_it_inherited_holds_nothing() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    // As daemons do. The pipe is closed last, and says so: else the command may have ended before all is closed.
    let script = r"
import os
read, write = os.pipe()
if os.fork() == 0:
    os.closerange(0, write)
    os.closerange(write + 1, 100)
    os.close(write)
    while True:
        os.sched_yield()
        if os.getppid() == 1 or not os.path.exists(os.environ['TEMP_DIR']):
            os._exit(0)
os.close(write)
os.read(read, 1)
";
    scratch.run(["run", "--", "python3", "-c", script]).succeeded();
    assert!(scratch.environments().is_empty());
    scratch.assert_no_environment_left();
}

#[test]
fn killed_together_with_its_command_it_leaves_ports_to_be_had_at_once() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 3);
    let script = "echo $$ $ISOLATION_ID; exec cat";
    let mut run = Running::start(&mut scratch.command(["run", "--ports", "3", "--", "sh", "-c", script]));
    let line = run.line();
    let (command, id) = line.split_once(' ').unwrap();
    assert!(scratch.allocator().lease(1).is_err());
    run.signal(Signal::KILL);
    assert_eq!(run.wait(), -9);
    assert!(scratch.allocator().lease(1).is_err(), "the command lives");
    scratch.run(["cleanup", "--stale"]).succeeded();
    assert_eq!(names(scratch.temp()), [format!("portalloc-{id}")], "its temp dir is the command's");
    scratch.run(["cleanup", "--id", id]).failed_with(5, "in_use");
    kill(command, Signal::KILL);
    until("all ports can be leased", || scratch.allocator().lease(3).is_ok());
    assert!(scratch.run(["cleanup", "--stale"]).succeeded().contains(id));
    scratch.assert_no_environment_left();
}

#[test]
fn one_inside_another_may_be_killed_without_harm_to_the_outer_one() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 10);
    let script = r#"
portalloc run --names in -- sh -c 'echo $ISOLATION_ID $IN_PORT; kill -KILL $PPID' || echo "status $?"
portalloc validate >/dev/null && echo "$ISOLATION_ID $OUT_PORT"
"#;
    let said = scratch.run(["run", "--names", "out", "--", "sh", "-c", script]).succeeded();
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("Killed")).collect();
    assert_eq!(lines[1], "status 137", "{said}");
    let (inner, outer) = (lines[0].split_once(' ').unwrap(), lines[2].split_once(' ').unwrap());
    assert!(inner.0 != outer.0 && inner.1 != outer.1, "{said}");
    assert_eq!(names(scratch.temp()), [format!("portalloc-{}", inner.0)], "the outer one is gone, the inner one left");
    until("the inner one is over", || can_be_leased(&scratch, inner.1.parse().unwrap()));
    assert!(scratch.run(["cleanup", "--stale"]).succeeded().contains(inner.0));
    scratch.assert_no_environment_left();
}

#[test]
fn many_at_once_have_their_own() {
    // Enough even if there is a gap of two ports, too small for another one, beside each of them: where many search at the
    // same moment, some are given a run that is off the grid.
    let scratch = CommandLine::with_pool_of(PORTALLOC, 100);
    let mut runs: Vec<Running> = (0..20)
        .map(|_| {
            let words = ["run", "--ports", "3", "--listen", "--", "sh", "-c", "echo $PORT_BASE; exec cat"];
            Running::start(&mut scratch.command(words))
        })
        .collect();
    let mut bases: Vec<u16> = runs.iter_mut().map(|run| run.line().parse().unwrap()).collect();
    bases.sort_unstable();
    assert!(bases.windows(2).all(|pair| pair[1] - pair[0] >= 3), "{bases:?}");
    runs.into_iter().for_each(|run| assert_eq!(run.end().0, 0));
    scratch.assert_no_environment_left();
}
