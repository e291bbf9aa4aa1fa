//! When something fails halfway: the exit status says so, and nothing is left that nobody knows of.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is a failed test")]

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use portalloc_testkit::{CommandLine, Run, id, names, path, run};

use crate::PORTALLOC;

/// The exit status of a command whose standard output is full.
fn into_full(scratch: &CommandLine, arguments: &str) -> Option<i32> {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    scratch.command(arguments.split(' ')).stdout(full).output().unwrap().status.code()
}

#[test]
fn a_result_that_cannot_be_written_leaves_no_environment() {
    let scratch = CommandLine::new(PORTALLOC);
    for format in ["human", "json", "shell", "fish", "powershell", "dotenv"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let run = run(scratch.command(["create", "--format", format]).stdout(full));
        run.failed_with(1, "io");
        scratch.assert_nothing_left(&[]);
    }
}

#[test]
fn a_result_that_nobody_reads_leaves_no_environment() {
    let scratch = CommandLine::new(PORTALLOC);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = scratch.command(["create"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
    scratch.assert_nothing_left(&[]);
}

#[test]
fn other_results_that_cannot_be_written_are_failures_too() {
    let scratch = CommandLine::new(PORTALLOC);
    let id = id(&scratch.create(&["--no-env-file"]));
    let of_one = [format!("validate --id {id}"), format!("who --id {id}"), format!("cleanup --id {id}")];
    let others = ["list", "list --json", "list --map", "who 1", "reconcile", "version", "man", "completions bash"];
    for arguments in others.into_iter().chain(of_one.iter().map(String::as_str)) {
        assert_eq!(into_full(&scratch, arguments), Some(1), "{arguments}");
    }
    // What was to be done is done, and can be repeated.
    scratch.assert_nothing_left(&[]);
    scratch.run(["cleanup", "--id", &id]).succeeded();
}

#[test]
fn help_that_cannot_be_written_is_a_failure_too() {
    let scratch = CommandLine::new(PORTALLOC);
    for arguments in ["--help", "create --help", "help create", "--version"] {
        assert_eq!(into_full(&scratch, arguments), Some(1), "{arguments}");
    }
}

#[test]
fn a_github_file_that_cannot_be_written_leaves_no_environment_nor_its_variables() {
    let scratch = CommandLine::new(PORTALLOC);
    let file = scratch.elsewhere().join("env");
    let directory = scratch.elsewhere().join("directory");
    fs::write(&file, "BEFORE=1\n").unwrap();
    fs::create_dir(&directory).unwrap();
    let mut command = scratch.command(["create", "--format", "github"]);
    let said = run(command.env("GITHUB_ENV", &file).env("GITHUB_OUTPUT", &directory)).failed_with(1, "io");
    assert!(said.contains(directory.to_str().unwrap()), "{said}");
    scratch.assert_nothing_left(&[]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "BEFORE=1\n", "variables of an environment that is gone");
}

#[test]
fn a_temp_directory_that_is_missing_is_an_error_that_names_it() {
    let scratch = CommandLine::new(PORTALLOC);
    let missing = scratch.path().join("missing");
    let file = scratch.elsewhere().join("file");
    File::create(&file).unwrap();
    for bad in [&missing, &file] {
        let said = run(scratch.command(["create"]).env("TMPDIR", bad)).failed_with(1, "io");
        assert!(said.contains(&format!("TMPDIR={}: ", bad.display())) && said.contains("; set TMPDIR to "), "{said}");
        scratch.assert_nothing_left(&[]);
    }
}

#[test]
fn an_empty_tmpdir_is_an_unset_one() {
    let scratch = CommandLine::new(PORTALLOC);
    for empty in [true, false] {
        let mut command = scratch.command(["create", "--json", "--no-env-file"]);
        let created = if empty { run(command.env("TMPDIR", "")) } else { run(command.env_remove("TMPDIR")) }.json();
        assert_eq!(path(&created, "temp_dir").parent(), Some(Path::new("/tmp")));
        scratch.run(["cleanup", "--id", &id(&created)]).succeeded();
        assert!(!path(&created, "temp_dir").exists());
    }
    scratch.assert_nothing_left(&[]);
}

#[test]
fn an_env_file_in_a_missing_directory_is_an_error_that_names_it() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--env-file", "missing/file"]).failed_with(1, "io");
    assert!(said.contains("missing/file"), "{said}");
    scratch.assert_nothing_left(&[]);
}

#[test]
fn a_registry_that_is_a_file_is_an_error_that_names_it() {
    let scratch = CommandLine::new(PORTALLOC);
    let file = scratch.elsewhere().join("file");
    File::create(&file).unwrap();
    for arguments in [["create", "--json"], ["list", "--json"], ["cleanup", "--all"]] {
        let run = run(scratch.command(arguments).env("PORTALLOC_DIR", &file));
        let said = run.failed_with(1, "registry_unusable");
        assert!(said.contains(file.to_str().unwrap()), "{said}");
    }
    scratch.assert_nothing_left(&[]);
}

/// Root may write everywhere but to a read-only file system.
#[test]
fn a_worktree_that_cannot_be_written_to_is_an_error_with_a_way_out() {
    let scratch = CommandLine::new(PORTALLOC);
    let read_only = |options: &str| -> Option<Run> {
        let script = format!(
            "mount --bind . . && mount -o remount,ro,bind . && touch \"$TMPDIR/mounted\" && cd \"$PWD\" \
             && exec \"$0\" create {options}"
        );
        let run = run(scratch.program("unshare").args(["-rm", "sh", "-euc", &script, PORTALLOC]));
        let mounted = scratch.temp().join("mounted");
        mounted.exists().then(|| rustix::fs::unlink(&mounted).unwrap()).map(|()| run)
    };
    let Some(refused) = read_only("--json") else {
        eprintln!("SKIPPED: no mount namespace can be made here");
        return;
    };
    let said = refused.failed_with(1, "permission_denied");
    assert!(said.contains(".env.isolation") && said.contains("--no-env-file"), "{said}");
    scratch.assert_nothing_left(&[]);
    read_only("--json --no-env-file").unwrap().succeeded();
    assert_eq!(names(scratch.work()), [""; 0]);
}
