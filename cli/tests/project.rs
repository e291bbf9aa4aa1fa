//! The project file from end to end: found by `portalloc create`, and what goes before it. What can be wrong with one is
//! tested in the core; here it is that a wrong one is told and nothing is done.

#![expect(clippy::unwrap_used, reason = "in helpers of tests, too, a failure is a failed test")]
#![expect(clippy::print_stderr, reason = "a skipped test must be seen")]

#[path = "../../tests/src/slice.rs"]
mod slice;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use portalloc::Lease;
use serde_json::Value;
use tempfile::TempDir;

/// A work tree with a folder in it, a registry of its own, and ports that no other test has.
struct Place {
    folder: TempDir,
    _slice: Lease,
    range: String,
}

impl Place {
    fn new() -> Self {
        let (slice, range) = slice::slice(20);
        let place = Self { folder: tempfile::tempdir().unwrap(), _slice: slice, range };
        fs::create_dir_all(place.tree().join("sub/folder")).unwrap();
        place
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("tree")
    }

    fn declare(&self, text: &str) {
        fs::write(self.tree().join("portalloc.toml"), text).unwrap();
    }

    /// `portalloc create --json` in a folder of the work tree.
    fn create(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portalloc"));
        command
            .args(["create", "--json"])
            .args(arguments)
            .env_remove("PORTALLOC_POOL")
            .env_remove("PORTALLOC_EXCLUDE")
            .env("PORTALLOC_DIR", self.folder.path().join("registry"))
            .env("TMPDIR", self.folder.path())
            .current_dir(self.tree().join(folder))
            .stdin(Stdio::null());
        command
    }

    /// The size of the pool, as told to somebody who asks for too much.
    fn pool(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut command = self.create("sub", arguments);
        command.args(["--ports", "20000"]).envs(variables.iter().copied());
        let said = failed(command.output().unwrap(), 2);
        let (_, pool) = said.split_once("but the pool ").unwrap();
        pool.split_once(';').unwrap().0.to_owned()
    }
}

fn json(output: Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn failed(output: Output, status: i32) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(status), 0), "{said}");
    said
}

#[test]
fn argument_then_variable_then_file_then_default() {
    let place = Place::new();
    let pool = ("PORTALLOC_POOL", "21390-21399");
    let exclude = ("PORTALLOC_EXCLUDE", "21390-21392");
    assert!(place.pool(&[], &[]).starts_with("20000-29999 has "));
    assert_eq!(place.pool(&[], &[pool]), "21390-21399 has 10");

    place.declare("pool = '21380-21399'\nexclude = [21380, 21390]");
    assert_eq!(place.pool(&[], &[]), "21380-21399 has 18");
    assert_eq!(place.pool(&[], &[pool]), "21390-21399 has 9");
    assert_eq!(place.pool(&[], &[exclude]), "21380-21399 has 17");
    assert_eq!(place.pool(&[], &[pool, exclude]), "21390-21399 has 7");
    assert_eq!(place.pool(&[], &[("PORTALLOC_POOL", ""), ("PORTALLOC_EXCLUDE", "")]), "21380-21399 has 18");
    assert_eq!(place.pool(&["--pool", "21391-21394"], &[pool, exclude]), "21391-21394 has 2");
    assert_eq!(place.pool(&["--exclude", "21399"], &[pool, exclude]), "21390-21399 has 9");
}

#[test]
fn an_instance_id_that_is_given_counts_also_if_it_is_empty() {
    let place = Place::new();
    place.declare(&format!("pool = ['{}']\nports = 1\ninstance_id = 'file'", place.range));
    for (arguments, wanted) in
        [(&[][..], "file"), (&["--instance-id", "argument"], "argument"), (&["--instance-id", ""], "")]
    {
        let created = json(place.create("sub", arguments).output().unwrap());
        assert_eq!(created["instance_id"], wanted, "{arguments:?}");
    }
}

#[test]
fn found_upwards_and_its_folder_is_the_work_tree() {
    let place = Place::new();
    let range = &place.range;
    place.declare(&format!("pool = ['{range}']\nnames = ['postgres', 'api']\nports = 3\ninstance_id = 'file'"));
    let created = json(place.create("sub/folder", &[]).output().unwrap());
    assert_eq!(created["worktree_path"].as_str().map(Path::new), Some(&*place.tree()));
    assert_eq!(created["env_file"].as_str().map(Path::new), Some(&*place.tree().join(".env.isolation")));
    assert_eq!(created["names"], serde_json::json!(["postgres", "api"]));
    assert_eq!(created["ports"]["count"], 3);
    let env_file = fs::read_to_string(place.tree().join(".env.isolation")).unwrap();
    for variable in ["POSTGRES_PORT=", "API_PORT=", "PORT_2="] {
        assert!(env_file.contains(&format!("\n{variable}")), "{variable} is missing in\n{env_file}");
    }

    let arguments = ["--names", "web", "--no-env-file", "--worktree", "."];
    let created = json(place.create("sub/folder", &arguments).output().unwrap());
    assert_eq!(created["worktree_path"].as_str().map(Path::new), Some(&*place.tree().join("sub/folder")));
    assert_eq!((&created["names"], &created["ports"]["count"]), (&serde_json::json!(["web"]), &1.into()));

    let elsewhere = ["--no-env-file", "--worktree", place.folder.path().to_str().unwrap(), "--pool", range];
    let created = json(place.create("sub", &elsewhere).output().unwrap());
    assert_eq!(created["ports"]["count"], 5, "the work tree that is named counts, not the current folder");
}

#[test]
fn a_wrong_one_is_told_with_its_line_and_nothing_is_done() {
    let place = Place::new();
    place.declare("pool = '21380-21399'\nprots = 3\n");
    let said = failed(place.create("sub", &[]).output().unwrap(), 2);
    let path = place.tree().join("portalloc.toml");
    let expected =
        format!("portalloc: invalid_argument: {}:2: unknown key `prots`; known keys are names", path.display());
    assert!(said.starts_with(&expected), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!place.folder.path().join("registry").exists());
    assert!(!place.tree().join(".env.isolation").exists());
}

#[test]
fn an_unreadable_one_is_permission_denied() {
    let place = Place::new();
    place.declare("ports = 3");
    for folder in [place.folder.path(), &place.tree(), &place.tree().join("sub")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(place.tree().join("portalloc.toml"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = place.create("sub", &[]);
    if fs::metadata(place.folder.path()).unwrap().uid() == 0 {
        // Root may read everything.
        command.uid(65534).gid(65534);
    }
    match command.output() {
        Ok(output) => {
            let said = failed(output, 1);
            assert!(said.starts_with("portalloc: permission_denied: cannot read the project file "), "{said}");
            assert!(said.contains(place.tree().join("portalloc.toml").to_str().unwrap()), "{said}");
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "it cannot run as another user, but CI must run this test");
            eprintln!("SKIPPED: it cannot run as another user: {error}");
        }
    }
}
