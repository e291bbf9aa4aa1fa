//! `make bench`: what portalloc costs, each figure beside a floor or a peer measured in the same run, in turns, since
//! the machine's speed drifts. Prints medians, 99th percentiles and ratios; judges nothing but the bounds it was given.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run has nothing to report")]

mod core;
mod environment;
mod floor;
mod full_pool;
mod growth;
mod lease;
mod measure;
mod process;
mod squeezed;
mod who;
mod worktree;

use std::path::PathBuf;

use portalloc::Settings;

/// A registry of the benchmark's own: in memory, as that of a machine that was set up, if there is such a file system.
pub(crate) struct Scratch {
    directory: tempfile::TempDir,
}

impl Scratch {
    fn new() -> Self {
        let base = if PathBuf::from("/dev/shm").is_dir() { PathBuf::from("/dev/shm") } else { std::env::temp_dir() };
        Self {
            directory: tempfile::Builder::new()
                .prefix("portalloc-bench-")
                .tempdir_in(base)
                .expect("a scratch directory"),
        }
    }

    fn directory(&self) -> PathBuf {
        self.directory.path().join("registry")
    }

    fn settings(&self) -> Settings {
        Settings::new().directory(self.directory())
    }

    /// The `ports` file of the registry, once it is open.
    fn ports_path(&self) -> PathBuf {
        let namespaces =
            std::fs::read_dir(self.directory()).expect("the registry").map(|entry| entry.expect("readable"));
        let mut paths = namespaces.map(|entry| entry.path().join("ports"));
        paths.find(|path| path.exists()).expect("the part for its namespace")
    }
}

fn main() {
    // `squeezed` starts this very program as its contenders.
    if squeezed::is_contender() {
        squeezed::contend();
        return;
    }
    if let Some(rounds) = core::rounds() {
        core::run(rounds);
        return;
    }
    if let Some(words) = growth::asked() {
        growth::run(&words);
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    println!("{}\n", measure::HEAD);
    if runs("lease") {
        lease::run();
    }
    if runs("environment") {
        environment::run();
    }
    if runs("full_pool") {
        full_pool::run();
    }
    if runs("process") {
        process::run();
    }
    if runs("worktree") {
        worktree::run();
    }
    if runs("who") {
        who::run();
    }
    if runs("squeezed") {
        squeezed::run();
    }
}
