//! The command line of portalloc as a library call, so that the binary, the Python wheel and the npm package carry the
//! same one.
//!
//! Knows terminals and arguments; the crate `portalloc` decides what happens. Results go to standard output, everything
//! else to standard error.

mod args;
mod command;
mod commands;
mod exit;
mod formats;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod output;
mod pool_map;
mod started;
mod sweep;
mod sys;
mod table;
mod wanted;
mod watch;

use std::ffi::OsString;

pub use crate::exit::Exit;

/// Runs one command with its arguments, the first of which is the program's name. Never ends the process.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    portalloc::ffi::start_log();
    output::warnings();
    let args: Vec<OsString> = args.into_iter().collect();
    let has_controls = args.iter().any(|word| word.to_string_lossy().contains(char::is_control));
    let command = match command::parse(&args) {
        Ok(command) => command,
        Err(error) => {
            // Clap reports help and version as errors, too, for standard output.
            if error.use_stderr() {
                output::refusal(error, has_controls);
                commands::refuse(&args);
                return Exit::Usage;
            }
            return match error.print() {
                Ok(()) => Exit::Success,
                Err(error) => exit::Failure::Output(error).report(),
            };
        }
    };
    let ended = commands::run(command);
    output::warnings();
    match ended {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}
