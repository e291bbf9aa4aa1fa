//! The project file from end to end: found by `portalloc create`, and what goes before it. What can be wrong with one is
//! tested in the core; here it is that a wrong one is told and nothing is done.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "in helpers of tests, too, a failure is a failed test"
)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc_testkit::{CommandLine, Run, run, skip};

/// A worktree with a project file and directories in it.
struct Project {
    world: CommandLine,
}

impl Project {
    fn new() -> Self {
        let world = CommandLine::with_pool_of(env!("CARGO_BIN_EXE_portalloc"), 20);
        fs::create_dir_all(world.work().join("sub/directory")).unwrap();
        Self { world }
    }

    fn tree(&self) -> PathBuf {
        self.world.work().canonicalize().unwrap()
    }

    fn declare(&self, text: &str) {
        fs::write(self.tree().join("portalloc.toml"), text).unwrap();
    }

    /// `portalloc create --json` in a directory of the worktree, without `PORTALLOC_POOL`.
    fn command(&self, directory: &str, arguments: &[&str]) -> Command {
        let mut command = self.world.command(["create", "--json"].iter().chain(arguments));
        command.env_remove("PORTALLOC_POOL").current_dir(self.tree().join(directory));
        command
    }

    fn create(&self, directory: &str, arguments: &[&str]) -> Run {
        run(&mut self.command(directory, arguments))
    }

    /// The size of the pool, as told to somebody who asks for too much.
    fn pool(&self, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut command = self.command("sub", arguments);
        command.args(["--ports", "20000"]).envs(variables.iter().copied());
        let said = run(&mut command).failed(2);
        let (_, pool) = said.split_once("but the pool ").unwrap();
        pool.split_once(';').unwrap().0.to_owned()
    }
}

#[test]
fn argument_then_variable_then_file_then_default() {
    let project = Project::new();
    let pool = ("PORTALLOC_POOL", "21390-21399");
    let exclude = ("PORTALLOC_EXCLUDE", "21390-21392");
    assert!(project.pool(&[], &[]).starts_with("20000-29999 has "));
    assert_eq!(project.pool(&[], &[pool]), "21390-21399 has 10");

    project.declare("pool = '21380-21399'\nexclude = [21380, 21390]");
    assert_eq!(project.pool(&[], &[]), "21380-21399 has 18");
    assert_eq!(project.pool(&[], &[pool]), "21390-21399 has 9");
    assert_eq!(project.pool(&[], &[exclude]), "21380-21399 has 17");
    assert_eq!(project.pool(&[], &[pool, exclude]), "21390-21399 has 7");
    assert_eq!(project.pool(&[], &[("PORTALLOC_POOL", ""), ("PORTALLOC_EXCLUDE", "")]), "21380-21399 has 18");
    assert_eq!(project.pool(&["--pool", "21391-21394"], &[pool, exclude]), "21391-21394 has 2");
    assert_eq!(project.pool(&["--exclude", "21399"], &[pool, exclude]), "21390-21399 has 9");
}

#[test]
fn an_instance_id_that_is_given_counts_also_if_it_is_empty() {
    let project = Project::new();
    project.declare(&format!("pool = ['{}']\nports = 1\ninstance_id = 'file'", project.world.pool()));
    for (arguments, wanted) in
        [(&[][..], "file"), (&["--instance-id", "argument"], "argument"), (&["--instance-id", ""], "")]
    {
        let created = project.create("sub", arguments).json();
        assert_eq!(created["instance_id"], wanted, "{arguments:?}");
    }
}

#[test]
fn found_upwards_and_its_directory_is_the_worktree() {
    let project = Project::new();
    let range = project.world.pool();
    project.declare(&format!("pool = ['{range}']\nnames = ['postgres', 'api']\nports = 3\ninstance_id = 'file'"));
    let created = project.create("sub/directory", &[]).json();
    assert_eq!(created["worktree_path"].as_str().map(Path::new), Some(&*project.tree()));
    assert_eq!(created["env_file"].as_str().map(Path::new), Some(&*project.tree().join(".env.isolation")));
    assert_eq!(created["names"], serde_json::json!(["postgres", "api"]));
    assert_eq!(created["ports"]["count"], 3);
    let env_file = fs::read_to_string(project.tree().join(".env.isolation")).unwrap();
    for variable in ["POSTGRES_PORT=", "API_PORT=", "PORT_2="] {
        assert!(env_file.contains(&format!("\n{variable}")), "{variable} is missing in\n{env_file}");
    }

    let arguments = ["--names", "web", "--no-env-file", "--worktree", "."];
    let created = project.create("sub/directory", &arguments).json();
    assert_eq!(created["worktree_path"].as_str().map(Path::new), Some(&*project.tree().join("sub/directory")));
    assert_eq!((&created["names"], &created["ports"]["count"]), (&serde_json::json!(["web"]), &1.into()));

    let elsewhere = ["--no-env-file", "--worktree", project.world.path().to_str().unwrap(), "--pool", range];
    let created = project.create("sub", &elsewhere).json();
    assert_eq!(created["ports"]["count"], 5, "the worktree that is named counts, not the current directory");
}

#[test]
fn in_git_the_worktree_is_the_directory_with_the_git_and_the_search_ends_there() {
    let project = Project::new();
    project.declare(&format!("pool = ['{}']\nports = 2", project.world.pool()));
    fs::write(project.tree().join("sub/.git"), "gitdir: elsewhere").unwrap();
    let arguments = ["--no-env-file", "--pool", project.world.pool()];
    let created = project.create("sub/directory", &arguments).json();
    assert_eq!(created["worktree_path"].as_str().map(Path::new), Some(&*project.tree().join("sub")));
    assert_eq!(created["ports"]["count"], 5, "the file above is another worktree's");

    fs::create_dir(project.tree().join(".git")).unwrap();
    fs::remove_file(project.tree().join("sub/.git")).unwrap();
    fs::write(project.tree().join("sub/portalloc.toml"), "ports = 3").unwrap();
    let created = project.create("sub/directory", &arguments).json();
    assert_eq!(created["worktree_path"].as_str().map(Path::new), Some(&*project.tree()));
    assert_eq!(created["ports"]["count"], 3, "the nearest file within the worktree");
}

#[test]
fn its_variables_are_in_every_output_and_its_ports_are_preferred() {
    let project = Project::new();
    let range = project.world.pool();
    let (_, last) = range.split_once('-').unwrap();
    project.declare(&format!(
        "pool = ['{range}']\nprefer = {last}\nnames = ['web']\n[env]\nURL = 'http://localhost:{{web}}/a b'\n"
    ));
    let url = format!("http://localhost:{last}/a b");
    let created = project.create("sub", &[]).json();
    assert_eq!((&created["env"]["URL"], &created["variables"]["URL"]), (&(&*url).into(), &(&*url).into()));
    let env_file = fs::read_to_string(project.tree().join(".env.isolation")).unwrap();
    assert!(env_file.ends_with(&format!("\nURL='{url}'\n")), "{env_file}");
    project.world.run(["cleanup", "--all"]).succeeded();

    let mut command = project.world.command(["run", "--", "sh", "-c", "echo $URL"]);
    let ran = run(command.env_remove("PORTALLOC_POOL").current_dir(project.tree())).succeeded();
    assert_eq!(ran, format!("{url}\n"));
    let (first, _) = range.split_once('-').unwrap();
    let other = project.create("sub", &["--prefer", first, "--no-env-file"]).json();
    assert_eq!(other["ports"]["base_port"].to_string(), first, "the argument goes before the file");
}

#[test]
fn a_wrong_one_is_told_with_its_line_and_nothing_is_done() {
    let project = Project::new();
    project.declare("pool = '21380-21399'\nprots = 3\n");
    let said = project.create("sub", &[]).failed(2);
    let path = project.tree().join("portalloc.toml");
    let expected =
        format!("portalloc: invalid_argument: {}:2: unknown key `prots`; known keys are names", path.display());
    assert!(said.starts_with(&expected), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!project.world.path().join("registry").exists());
    assert!(!project.tree().join(".env.isolation").exists());
}

#[test]
fn an_unreadable_one_is_permission_denied() {
    let project = Project::new();
    project.declare("ports = 3");
    for directory in [project.world.path(), &project.tree(), &project.tree().join("sub")] {
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(project.tree().join("portalloc.toml"), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = project.command("sub", &[]);
    if fs::metadata(project.world.path()).unwrap().uid() == 0 {
        // Root may read everything.
        command.uid(65534).gid(65534);
    }
    match command.output() {
        Ok(output) => {
            let said = Run::from(output).failed(1);
            assert!(said.starts_with("portalloc: permission_denied: cannot read the project file "), "{said}");
            assert!(said.contains(project.tree().join("portalloc.toml").to_str().unwrap()), "{said}");
        }
        Err(error) => skip(&format!("it cannot run as another user: {error}")),
    }
}
