//! The one environment of a worktree: `env`, `port` and `exec`.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::symlink;

use portalloc_testkit::{CommandLine, Running, id, run};
use rustix::process::Signal;

use crate::PORTALLOC;

#[test]
fn two_hundred_at_once_get_one_environment() {
    let scratch = CommandLine::new(PORTALLOC);
    let ask = || id(&run(&mut scratch.command(["env", "--json", "--names", "web"])).json());
    let ids: HashSet<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..200).map(|_| scope.spawn(ask)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(ids.len(), 1);
    assert_eq!(scratch.environments().len(), 1);
}

#[test]
fn it_is_the_same_from_below_and_another_one_elsewhere() {
    let scratch = CommandLine::new(PORTALLOC);
    let (checkout, moved) = (scratch.elsewhere().join("checkout"), scratch.elsewhere().join("moved"));
    let (nested, link) = (checkout.join("trees/nested"), scratch.elsewhere().join("link"));
    fs::create_dir_all(checkout.join("src/deep")).unwrap();
    fs::create_dir_all(checkout.join(".git")).unwrap();
    fs::create_dir_all(&nested).unwrap();
    fs::write(nested.join(".git"), "gitdir: elsewhere").unwrap();
    symlink(&checkout, &link).unwrap();
    let at = |directory: &std::path::Path| id(&run(scratch.command(["env", "--json"]).current_dir(directory)).json());
    let first = at(&checkout);
    assert_eq!(at(&checkout.join("src/deep")), first);
    assert_eq!(at(&link.join("src")), first);
    assert_ne!(at(&nested), first);
    let other = run(scratch.command(["env", "--json", "--instance-id", "b"]).current_dir(&checkout)).json();
    assert_ne!(id(&other), first);
    fs::rename(&checkout, &moved).unwrap();
    assert_ne!(at(&moved), first);
    assert_eq!(scratch.environment(&first)["stale_reason"], "worktree_missing");
    assert!(scratch.run(["cleanup", "--stale"]).succeeded().contains(&first));
}

#[test]
fn a_damaged_index_or_one_of_another_worktree_is_none() {
    let scratch = CommandLine::new(PORTALLOC);
    let ask = |instance: &str| id(&scratch.run(["env", "--json", "--instance-id", instance]).json());
    let (a, b) = (ask("a"), ask("b"));
    let directory = scratch.namespace().join("by-worktree");
    let index = |of: &str| {
        let mut files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        files.find(|path| fs::read_to_string(path).unwrap().contains(of)).unwrap()
    };
    fs::write(index(&a), format!("{b}\n")).unwrap();
    let new = ask("a");
    assert!(new != a && new != b);
    fs::write(index(&new), "nonsense").unwrap();
    assert_ne!(ask("a"), new);
    assert_eq!(ask("b"), b);
}

#[test]
fn what_exec_starts_keeps_it_until_it_dies() {
    let scratch = CommandLine::new(PORTALLOC);
    let made = id(&scratch.run(["env", "--json", "--names", "web"]).json());
    let mut command =
        Running::start(&mut scratch.command(["exec", "--", "sh", "-c", "echo $ISOLATION_ID {web}; exec cat"]));
    let port = scratch.run(["port", "web"]).succeeded();
    assert_eq!(command.line(), format!("{made} {}", port.trim()));
    scratch.run(["cleanup", "--id", &made]).failed_with(5, "in_use");
    scratch.run(["env", "--json", "--repair", "--names", "x,y"]).failed_with(5, "in_use");
    command.signal(Signal::KILL);
    command.wait();
    assert!(scratch.run(["cleanup", "--all"]).succeeded().contains(&made));
    scratch.run(["port", "web"]).failed_with(4, "not_found");
    scratch.assert_no_environment_left();
}

#[test]
fn it_moves_to_other_ports_when_other_names_are_asked_for() {
    let scratch = CommandLine::new(PORTALLOC);
    let made = id(&scratch.run(["env", "--json", "--names", "web"]).json());
    assert_eq!(id(&scratch.run(["env", "--json", "--repair", "--names", "web"]).json()), made);
    let new = id(&scratch.run(["env", "--json", "--repair", "--names", "web,db"]).json());
    assert_ne!(new, made);
    assert_eq!(id(&scratch.run(["env", "--json"]).json()), new);
    assert_eq!(scratch.environments().len(), 1);
}

#[test]
fn an_eval_fails_when_env_does() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = run(&mut scratch.sh("eval \"$(portalloc env --names web)\"; echo $WEB_PORT")).succeeded();
    assert_eq!(said, scratch.run(["port", "web"]).succeeded());
    for bad in ["--nonsense", "--names 1x", "--worktree /nowhere"] {
        let script = format!("if eval \"$(portalloc env {bad} 2>/dev/null)\"; then echo good; else echo bad; fi");
        assert_eq!(run(&mut scratch.sh(&script)).succeeded(), "bad\n", "{bad}");
    }
}
