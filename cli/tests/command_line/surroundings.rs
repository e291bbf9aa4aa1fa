//! What a process is given by whoever starts it: current directory, streams, variables, umask, limits, clock.

#![expect(clippy::unwrap_used, reason = "a helper of tests: a failure is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use portalloc_testkit::{CommandLine, Run, id, path, run};
use serde_json::Value;

use crate::PORTALLOC;

/// The commands that need no current directory.
fn without_directory(scratch: &CommandLine) -> Vec<Vec<String>> {
    let created = scratch.create(&["--no-env-file"]);
    let (id, worktree) = (id(&created), scratch.work().display().to_string());
    let lines = [
        "list".to_owned(),
        "list --json".to_owned(),
        "reconcile".to_owned(),
        "who 1".to_owned(),
        format!("who --id {id}"),
        format!("validate --id {id}"),
        "wait 1 --free --timeout 0s".to_owned(),
        format!("cleanup --all --worktree {worktree}"),
        "cleanup --stale".to_owned(),
        format!("cleanup --id {id}"),
        "version".to_owned(),
        "--help".to_owned(),
        "man".to_owned(),
        "completions bash".to_owned(),
    ];
    lines.iter().map(|line| line.split(' ').map(ToOwned::to_owned).collect()).collect()
}

#[test]
fn a_current_directory_that_is_gone() {
    let scratch = CommandLine::new(PORTALLOC);
    for words in without_directory(&scratch) {
        let gone = scratch.elsewhere().join("gone");
        fs::create_dir(&gone).unwrap();
        let script = "cd \"$1\" && rmdir \"$1\" && shift && exec portalloc \"$@\"";
        let mut command = scratch.program("sh");
        command.args(["-euc", script, "sh"]).arg(&gone).args(&words);
        let said = run(&mut command);
        assert_eq!((said.status, said.stderr.contains("panicked")), (0, false), "{words:?}: {said:?}");
    }
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_current_directory_that_may_not_be_read() {
    let scratch = CommandLine::new(PORTALLOC);
    let closed = scratch.elsewhere().join("closed");
    fs::create_dir(&closed).unwrap();
    scratch.run(["list"]).succeeded();
    for words in ["list", "list --json", "reconcile", "who 1", "cleanup --all", "version", "--help"] {
        let Some(mut command) = scratch.as_nobody(["list"]) else { return };
        // Entered by root, who then becomes nobody.
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let program = scratch.path().join("portalloc");
        command = {
            let mut other = scratch.program("setpriv");
            other.args(["--reuid", "65534", "--clear-groups"]).arg(&program).args(words.split(' '));
            drop(command);
            other
        };
        let said = run(command.current_dir(&closed));
        assert_eq!((said.status, said.stderr.contains("panicked")), (0, false), "{words:?}: {said:?}");
    }
}

/// The files that portalloc opens must not get the numbers of streams, or messages would be written into them.
#[test]
fn streams_that_are_closed() {
    let scratch = CommandLine::new(PORTALLOC);
    for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let ran = |words: &str| -> Run { run(&mut scratch.sh(&format!("exec portalloc {words} {closed}"))) };
        let created = ran("create --json");
        assert_eq!(created.status, 0, "{closed}: {created:?}");
        let environment = scratch.environments().remove(0);
        let id = id(&environment);
        let text = fs::read_to_string(path(&environment, "env_file")).unwrap();
        assert!(text.lines().all(|line| line.starts_with('#') || line.contains('=')), "{closed}: {text}");
        for words in ["list", "list --map", &format!("validate --id {id}"), "who 1", "run -- true", "nonsense"] {
            let status = if words == "nonsense" { 2 } else { 0 };
            assert_eq!(ran(words).status, status, "{closed}: {words}");
        }
        assert_eq!(
            run(scratch.sh(&format!("PORTALLOC_LOG=debug exec portalloc list {closed}")).env("X", "")).status,
            0
        );
        assert_eq!(ran(&format!("cleanup --id {id}")).status, 0, "{closed}");
        scratch.assert_nothing_left(&[]);
    }
}

#[test]
fn no_home() {
    let scratch = CommandLine::new(PORTALLOC);
    for value in [None, Some(""), Some("/no/such/directory")] {
        let command = |words: &[&str]| -> Command {
            let mut command = scratch.command(words);
            if let Some(value) = value {
                command.env("HOME", value)
            } else {
                command.env_remove("HOME")
            };
            command
        };
        let created = run(&mut command(&["create", "--json", "--sticky"])).json();
        run(&mut command(&["list", "--map"])).succeeded();
        run(&mut command(&["cleanup", "--id", &id(&created)])).succeeded();
        scratch.assert_nothing_left(&[]);
    }
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o1777
}

/// Whatever the umask, others can use the registry, and nobody but the user the rest.
#[test]
fn every_umask() {
    for (umask, env_file) in [("000", 0o644), ("022", 0o644), ("077", 0o600), ("777", 0o600)] {
        let scratch = CommandLine::new(PORTALLOC);
        let created = run(&mut scratch.sh(&format!("umask {umask}; exec portalloc create --json"))).json();
        let modes = [
            ("the registry", mode(scratch.registry()), 0o1777),
            ("its directory of this namespace", mode(scratch.namespace()), 0o1777),
            ("the directory of records", mode(scratch.namespace().join("envs")), 0o1777),
            ("its .keep", mode(scratch.namespace().join("envs/.keep")), 0o1644),
            ("the ports file", mode(scratch.ports_file()), 0o1666),
            ("the record", mode(path(&created, "lock_file")), 0o1600),
            ("the temp directory", mode(path(&created, "temp_dir")), 0o700),
            ("the env file", mode(path(&created, "env_file")), env_file),
        ];
        for (what, is, expected) in modes {
            assert_eq!(is, expected, "umask {umask}: {what} has mode {is:o}");
        }
        // As after a reboot: the temp directory is all that is left.
        rustix::fs::unlink(path(&created, "lock_file")).unwrap();
        let swept = run(&mut scratch.sh(&format!("umask {umask}; exec portalloc cleanup --stale"))).succeeded();
        assert!(swept.contains("belongs to no environment"), "umask {umask}: {swept}");
        assert!(!path(&created, "temp_dir").exists());
    }
}

/// Root may do everything, whatever the modes; others may not.
#[test]
fn every_umask_for_a_user_who_is_not_root() {
    for umask in ["000", "077", "777"] {
        let scratch = CommandLine::new(PORTALLOC);
        let Some(nobody) = scratch.as_nobody(["create"]) else { return };
        drop(nobody);
        scratch.run(["list"]).succeeded();
        let portalloc = |words: &str| -> Run {
            let script = format!("umask {umask}; exec \"$0\" {words}");
            let mut command = scratch.program("setpriv");
            command
                .args(["--reuid", "65534", "--clear-groups", "sh", "-euc", &script])
                .arg(scratch.path().join("portalloc"));
            run(&mut command)
        };
        let created = portalloc("create --json").json();
        let id = id(&created);
        portalloc(&format!("validate --id {id}")).succeeded();
        portalloc("list").succeeded();
        portalloc("run -- true").succeeded();
        portalloc("create --json --no-env-file").succeeded();
        let text = fs::read_to_string(path(&created, "env_file")).unwrap();
        assert!(text.contains(&id), "{text}");
        portalloc("cleanup --all").succeeded();
        let left = portalloc("create --json").json();
        rustix::fs::unlink(path(&left, "lock_file")).unwrap();
        portalloc("cleanup --stale").succeeded();
        assert!(!path(&left, "temp_dir").exists(), "umask {umask}: the temp directory is left");
    }
}

#[test]
fn few_descriptors() {
    let scratch = CommandLine::new(PORTALLOC);
    let limited = |words: &str| run(&mut scratch.sh(&format!("ulimit -n 16; exec portalloc {words}")));
    let id = id(&limited("create --json").json());
    for words in ["list", "list --map", "who 1", &format!("validate --id {id}"), "run -- true", "reconcile"] {
        limited(words).succeeded();
    }
    limited(&format!("cleanup --id {id}")).succeeded();
    limited("cleanup --stale").succeeded();
    scratch.assert_nothing_left(&[]);
}

/// All labels at once would take megabytes. Where so little memory is left that the system cannot even load the program,
/// there is nothing to see.
#[test]
fn little_memory() {
    let scratch = CommandLine::new(PORTALLOC);
    scratch.create(&["--no-env-file"]);
    let limited = |kilobytes: u32, words: &str| {
        run(scratch.program("sh").args(["-c", &format!("ulimit -v {kilobytes} && exec \"$0\" {words}"), PORTALLOC]))
    };
    let least = (6_000..40_000).step_by(500).find(|kilobytes| limited(*kilobytes, "who 1").status == 0).unwrap();
    // What `who` of one port needs, and a little for the threads of the C library and for what is listed.
    for words in ["list", "list --json", "list --map", "reconcile", "cleanup --stale", "create --no-env-file --ports 1"]
    {
        let ran = limited(least + 1_000, words);
        assert_eq!(ran.status, 0, "{words}: {ran:?}");
    }
}

/// A clock that was set back after a lease was taken. The time of a lease is read once, for label and record alike, so it
/// cannot be set back in between.
#[test]
fn a_clock_that_was_set_back() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ttl", "1h"]);
    let (id, record) = (id(&created), path(&created, "lock_file"));
    let labelled = scratch.run(["who", "--json", "--id", &id]).json()["ports"][0]["lease"]["since"].clone();
    assert_eq!(labelled, created["created_at"], "label and record differ");
    let mut text: Value = serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    text["created_at"] = "2999-01-01T00:00:00.000Z".into();
    text["expires_at"] = "2999-01-01T01:00:00.000Z".into();
    fs::write(&record, text.to_string()).unwrap();
    let listed = scratch.run(["list"]).succeeded();
    let line = listed.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(line.contains("active") && line.contains("  0s  "), "{listed}");
    assert_eq!(scratch.run(["cleanup", "--older-than", "1ms"]).succeeded(), "");
    assert_eq!(scratch.run(["cleanup", "--stale"]).succeeded(), "");
    scratch.run(["validate", "--id", &id]).succeeded();
    scratch.run(["cleanup", "--id", &id]).succeeded();
    scratch.assert_nothing_left(&[]);
}
