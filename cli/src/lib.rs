//! The command line of portalloc as a library call, so that every package that carries it (the binary, the Python
//! wheel, the npm package) is the very same one.
//!
//! Knows terminals and arguments; what happens is decided by the crate `portalloc`. Results go to standard output,
//! everything else to standard error.

mod args;
mod command;
mod commands;
mod exit;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod output;
mod pool_map;
mod signals;
mod table;
mod wanted;
mod watch;

use std::ffi::OsString;

use clap::Parser;

use crate::args::Cli;
pub use crate::exit::Exit;

/// Runs one command with its arguments, the first of which is the program's name. Never ends the process.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such "errors" too, for standard output.
            let printed = error.print();
            return match (error.use_stderr(), printed) {
                (true, _) => Exit::Usage,
                (false, Ok(())) => Exit::Success,
                (false, Err(error)) => exit::Failure::Output(error).report(),
            };
        }
    };
    match commands::run(cli.command) {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}
