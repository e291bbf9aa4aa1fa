//! Worktrees with odd paths: everything that takes or shows the path works with it, or refuses it in words.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests: a failure is a failed test")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use portalloc_testkit::{CommandLine, id, names, path, run};

use crate::PORTALLOC;

/// From `create` to `cleanup`, with the worktree as the current directory and as an argument.
fn works_in(scratch: &CommandLine, worktree: &Path) {
    let shown = worktree.to_str().unwrap();
    for by_argument in [false, true] {
        let command = |words: &[&str]| {
            let mut command = scratch.command(words);
            if by_argument {
                command.args(["--worktree", shown])
            } else {
                command.current_dir(worktree)
            };
            command
        };
        let created = run(&mut command(&["create", "--json", "--names", "web"])).json();
        let id = id(&created);
        assert_eq!(path(&created, "worktree_path"), worktree);
        assert_eq!(path(&created, "env_file"), worktree.join(".env.isolation"));
        assert_eq!(path(&scratch.environment(&id), "worktree_path"), worktree);
        let listed = scratch.run(["list"]).succeeded();
        assert_eq!(listed.lines().filter(|line| line.contains("active")).count(), 1, "{listed}");
        let script = "set -a; . ./.env.isolation; printf %s \"$ISOLATION_ID $TEMP_DIR $WEB_PORT\"";
        let sourced = run(scratch.sh(script).current_dir(worktree)).succeeded();
        let port = created["ports"]["base_port"].to_string();
        assert_eq!(sourced, format!("{id} {} {port}", path(&created, "temp_dir").display()));
        scratch.run(["validate", "--id", &id]).succeeded();
        let other = run(&mut command(&["create", "--shell"])).succeeded();
        assert!(other.contains("export ISOLATION_ID="), "{other}");
        let removed = run(scratch.command(["cleanup", "--all", "--worktree", shown]).current_dir("/")).succeeded();
        assert!(removed.contains(&id), "{removed}");
        assert_eq!(names(worktree), [""; 0], "in the worktree");
        scratch.assert_no_environment_left();
    }
}

#[test]
fn newlines_quotes_and_other_special_characters() {
    let scratch = CommandLine::new(PORTALLOC);
    let hostile =
        ["a\nb", "it's \"quoted\"", "$(touch executed) `x` \\", " leading", "-dash", "\u{1b}[2J", "*", "ÄÖ\u{202e}"];
    for name in hostile {
        let worktree = scratch.elsewhere().join(name);
        fs::create_dir(&worktree).unwrap();
        works_in(&scratch, &worktree.canonicalize().unwrap());
        fs::remove_dir(&worktree).unwrap();
    }
    assert!(!scratch.work().join("executed").exists());
}

/// A temp directory's path, unlike a worktree's, goes into variables.
#[test]
fn special_characters_in_the_temp_directory() {
    let scratch = CommandLine::new(PORTALLOC);
    let temp = scratch.elsewhere().join("it's\n\"$(touch executed)\" \\");
    fs::create_dir(&temp).unwrap();
    let script = "eval \"$(portalloc create --shell)\"; printf %s \"$TEMP_DIR\"";
    let said = run(scratch.sh(script).env("TMPDIR", &temp)).succeeded();
    assert_eq!(Path::new(&said).parent(), Some(temp.as_path()));
    scratch.run(["cleanup", "--all"]).succeeded();
    scratch.assert_nothing_left(&[]);
    assert_eq!(names(&temp), [""; 0]);
}

#[test]
fn four_thousand_characters() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut worktree = scratch.elsewhere().canonicalize().unwrap();
    while worktree.as_os_str().len() < 3_750 {
        worktree.push("d".repeat(200));
    }
    worktree.push("e".repeat(3_999 - worktree.as_os_str().len()));
    assert_eq!(worktree.as_os_str().len(), 4_000);
    fs::create_dir_all(&worktree).unwrap();
    works_in(&scratch, &worktree);
    // The path of the env file while it is written, which has the ID in its name, would be longer than the system's limit.
    let longer = worktree.join("f".repeat(74));
    fs::create_dir(&longer).unwrap();
    let said = run(scratch.command(["create"]).current_dir(&longer)).failed_with(1, "io");
    assert!(said.contains(".env.isolation"), "{said}");
    scratch.assert_no_environment_left();
    run(scratch.command(["create", "--no-env-file"]).current_dir(&longer)).succeeded();
    scratch.run(["cleanup", "--all"]).succeeded();
    scratch.assert_no_environment_left();
}

#[test]
fn bytes_that_are_not_text() {
    let scratch = CommandLine::new(PORTALLOC);
    let worktree = scratch.elsewhere().join(OsStr::from_bytes(b"not-\xff-text"));
    fs::create_dir(&worktree).unwrap();
    let said = run(scratch.command(["create"]).current_dir(&worktree)).failed_with(2, "invalid_argument");
    assert!(said.contains("UTF-8"), "{said}");
    let temp = run(scratch.command(["create"]).env("TMPDIR", &worktree)).failed_with(2, "invalid_argument");
    assert!(temp.contains("TMPDIR") && temp.contains("UTF-8"), "{temp}");
    // What needs no worktree does not mind.
    let id = id(&scratch.create(&[]));
    for words in [&["list"][..], &["validate", "--id", &id], &["who", "1"], &["cleanup", "--id", &id]] {
        run(scratch.command(words).current_dir(&worktree)).succeeded();
    }
    assert_eq!(names(&worktree), [""; 0]);
    scratch.assert_nothing_left(&[]);
}
