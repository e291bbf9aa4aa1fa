//! Started where there is nothing to see: in a directory that the user may not search, as after `su` in root's home, or in one
//! that has been removed.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use portalloc_testkit::{CommandLine, Run, run};

use crate::PORTALLOC;

/// `portalloc` in the directory `locked`, after `prepare` there; as nobody, if the tests run as root, who may search anything.
fn started_in(scratch: &CommandLine, prepare: &str, arguments: &[&str]) -> Run {
    for (directory, mode) in [(scratch.path(), 0o755), (&*scratch.work(), 0o755), (&*scratch.temp(), 0o1777)] {
        fs::set_permissions(directory, Permissions::from_mode(mode)).unwrap();
    }
    let script = format!(
        "mkdir -p locked; cd locked; {prepare}
         if test $(id -u) = 0; then exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$0\" \"$@\"; fi; exec \"$0\" \"$@\""
    );
    run(scratch.sh(&script).arg(PORTALLOC).args(arguments))
}

#[test]
fn a_directory_that_may_not_be_searched_has_no_project_file() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 5);
    fs::write(scratch.work().join("portalloc.toml"), "ports = 2").unwrap();
    scratch.run(["list"]).succeeded(); // makes the registry, which nobody could not
    for prepare in ["chmod 0 .", "chmod 0 . ..", "rmdir ../locked"] {
        let declared = if prepare == "chmod 0 ." { 2 } else { 5 };
        let started = |arguments: &[&str]| {
            let run = started_in(&scratch, prepare, arguments);
            fs::set_permissions(scratch.work(), Permissions::from_mode(0o755)).unwrap();
            run
        };
        for arguments in [&["list"][..], &["list", "--map"], &["who", "1"], &["wait", "1", "--free", "--timeout", "0s"]]
        {
            let run = started(arguments);
            assert_eq!(run.status, 0, "{prepare}: {arguments:?}: {run:?}");
        }
        let ran = started(&["run", "--worktree", "/", "--", "sh", "-c", "echo $PORT_COUNT"]);
        assert_eq!(ran.succeeded(), "5\n", "{prepare}");
        let run = started(&["run", "--", "sh", "-c", "echo $PORT_COUNT"]);
        if prepare.starts_with("rmdir") {
            let said = run.failed_with(2, "invalid_argument");
            assert!(said.contains("has been removed") && said.contains("worktree"), "{said}");
        } else {
            assert_eq!(run.succeeded(), format!("{declared}\n"), "{prepare}");
        }
    }
    scratch.assert_no_environment_left();
}

#[test]
fn an_env_file_that_cannot_be_made_there_is_an_error_with_a_way_out() {
    let scratch = CommandLine::with_pool_of(PORTALLOC, 5);
    scratch.run(["list"]).succeeded();
    let said = started_in(&scratch, "chmod 700 .", &["create"]).failed_with(1, "permission_denied");
    assert!(said.contains("locked/.env.isolation") && said.contains("--no-env-file"), "{said}");
    let created = started_in(&scratch, "chmod 700 .", &["create", "--no-env-file", "--ttl", "1h"]).succeeded();
    assert!(created.contains("PORT_0"), "{created}");
    started_in(&scratch, "", &["cleanup", "--all"]).succeeded();
    scratch.assert_no_environment_left();
}
