//! Making a kept environment and cleaning it up, against the bare file operations.

use portalloc::EnvironmentRequest;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::{EnvFile, Syntax, render};

use crate::measure::{compare, in_turns, time};
use crate::{Scratch, floor};

pub(crate) fn run() {
    let scratch = Scratch::new();
    let allocator = scratch.settings().open().unwrap();
    let path = scratch.ports_path();
    let worktree = tempfile::tempdir().unwrap();
    let request = EnvironmentRequest::new().kept().ports(5).worktree(worktree.path()).env_file(EnvFile::Worktree);

    let sample = allocator.create_environment(&request).unwrap();
    let record = serde_json::to_vec_pretty(sample.record()).unwrap();
    let env_file = render(&sample.variables(), Syntax::Dotenv);
    allocator.cleanup(&Cleanup::new(Selection::Id(sample.id()))).unwrap();

    let bare = tempfile::tempdir().unwrap();
    let mut bases = floor::Bases::new();
    let (ours, floor) = in_turns(
        3000,
        || {
            time(|| {
                let environment = allocator.create_environment(&request).unwrap();
                allocator.cleanup(&Cleanup::new(Selection::Id(environment.id()))).unwrap()
            })
        },
        || {
            let base = bases.next(5);
            time(|| {
                floor::environment(&path, scratch.directory.path(), bare.path(), base, 5, &record, env_file.as_bytes());
            })
        },
    );
    compare("environment of 5, create and cleanup", &ours, "bare operations", &floor, 1.3);
}
