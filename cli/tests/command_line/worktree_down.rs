//! `down` beside `env` and `exec` of the same worktree, over and over: no environment is without its claims, and none is
//! lost.

use std::thread;

use portalloc_testkit::{CommandLine, run};

use crate::PORTALLOC;

const PORTS: usize = 12;

/// How many rounds there are between two looks at what is left.
const EACH: usize = 20;

const ROUNDS: usize = 1000;

#[test]
fn no_environment_is_without_its_claims_and_none_is_lost() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, PORTS);
    let ask = |arguments: &[&str]| run(scratch.command(arguments).env_remove("ISOLATION_ID"));
    let env = || drop(ask(&["env", "--names", "web,db"]).succeeded());
    // What runs with a hold has an environment that is whole, whatever the others do.
    let script = "portalloc validate > /dev/null && test \"$(portalloc port web)\" = $WEB_PORT";
    let exec = || drop(ask(&["exec", "--names", "web,db", "--", "sh", "-euc", script]).succeeded());
    let down = || {
        let ran = ask(&["down"]);
        let is_expected = match ran.status {
            0 => true,
            4 => ran.stderr.contains("not_found"),
            5 => ran.stderr.contains("in_use"),
            _ => false,
        };
        assert!(is_expected, "{ran:?}");
        ran.status == 0
    };
    let mut ended = 0;
    for epoch in 0..ROUNDS / EACH {
        ended += thread::scope(|scope| {
            let users = [scope.spawn(|| (0..EACH).for_each(|_| env())), scope.spawn(|| (0..EACH).for_each(|_| exec()))];
            let ended = scope.spawn(|| (0..EACH).filter(|_| down()).count());
            users.into_iter().for_each(|user| user.join().unwrap());
            ended.join().unwrap()
        });
        if epoch % 2 == 0 {
            env();
        }
        let left = scratch.environments();
        assert!(left.len() <= 1, "{left:?}");
        match left.first().and_then(|left| left.get("isolation_id")?.as_str()) {
            Some(id) => {
                ask(&["validate", "--id", id]).succeeded();
                let ended = ask(&["down"]);
                assert!(ended.status == 0 && ended.stderr.contains(id), "{id} is not the worktree's: {ended:?}");
            }
            None => drop(ask(&["port", "web"]).failed_with(4, "not_found")),
        }
        scratch.assert_no_environment_left();
        // Nobody claims a port any more.
        let all = ask(&["create", "--ports", &PORTS.to_string(), "--no-env-file", "--json"]).json();
        ask(&["cleanup", "--id", &portalloc_testkit::id(&all)]).succeeded();
    }
    assert!(ended >= ROUNDS / 50, "only {ended} were ended beside the others");
}
