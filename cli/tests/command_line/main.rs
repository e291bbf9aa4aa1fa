//! The command line from end to end: the real binary in real processes, as scripts and people use it. What the core
//! can do is tested in the core; here it is what goes in and comes out: arguments, output, exit statuses, files.
//! `portalloc run` has a binary of its own, beside this one.

mod bad_input;
mod cleanup;
mod create;
mod current_directory;
mod env_write;
mod failures;
mod formats;
mod help;
mod kernel_ranges;
mod lifetime;
mod list;
mod log;
mod many;
mod names;
mod output;
mod pools;
mod reconcile;
mod setup;
mod statuses;
mod surroundings;
mod validate;
mod worktree_down;
mod worktree_environment;
mod worktree_eval;
mod worktree_repair;
mod worktrees;

/// The binary under test.
const PORTALLOC: &str = env!("CARGO_BIN_EXE_portalloc");
