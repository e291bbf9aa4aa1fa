//! The commands of the worktree loop as whole processes, against the same program that only says its version: shells,
//! prompts and npm scripts start them all the time.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Scratch;
use crate::measure::{compare, in_turns, time};
use crate::process::program;

/// How much slower a command may be that looks an environment up.
const LOOK_UP: f64 = 1.35;

pub(crate) fn run() {
    let Some(program) = program() else { return };
    let scratch = Scratch::new();
    let worktree = tempfile::tempdir().unwrap();
    std::fs::create_dir(worktree.path().join(".git")).unwrap();
    let project = "names = [\"web\", \"api\", \"db\"]\n[env]\nDATABASE_URL = \"postgres://localhost:{db}/test\"\n";
    std::fs::write(worktree.path().join("portalloc.toml"), project).unwrap();
    let timed = |words: &[&str]| -> Duration { ended(&program, &scratch, worktree.path(), words) };
    timed(&["env"]);
    for words in [&["env"][..], &["port", "web"]] {
        let (ours, floor) = in_turns(500, || timed(words), || timed(&["version"]));
        compare(&format!("portalloc {}", words.join(" ")), &ours, "portalloc version", &floor, LOOK_UP);
    }
    let (ours, floor) = in_turns(300, || timed(&["exec", "--", "true"]), || timed(&["run", "--", "true"]));
    compare("portalloc exec -- true", &ours, "portalloc run", &floor, 1.0);
    timed(&["down"]);
}

fn ended(program: &Path, scratch: &Scratch, worktree: &Path, words: &[&str]) -> Duration {
    let mut command = Command::new(program);
    command.args(words).env("PORTALLOC_DIR", scratch.directory()).current_dir(worktree);
    command.env_remove("ISOLATION_ID").stdout(Stdio::null()).stderr(Stdio::null());
    time(|| assert!(command.status().unwrap().success()))
}
