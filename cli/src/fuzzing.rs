//! Lets the fuzzer (`proof/fuzz`) parse arguments without running a command. Compiled with `--cfg fuzzing` only, and no
//! part of the library.

use std::ffi::OsString;

use crate::command::{self, Command};
use crate::exit::{Exit, Failure};
use crate::wanted;

/// The outcome of parsing.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// The arguments are a command, which would now run.
    Accepted,
    /// Help or the version would be written to standard output.
    Shown(String),
    /// The arguments are wrong: the exit status, and what would be written to standard error.
    Refused(u8, String),
}

/// Parses arguments, the first of which is the program's name, and what they say of an environment.
#[must_use]
pub fn read(args: impl IntoIterator<Item = OsString>) -> Read {
    let command = match command::parse(&args.into_iter().collect::<Vec<_>>()) {
        Ok(command) => command,
        Err(error) if error.use_stderr() => return Read::Refused(Exit::Usage.status(), error.render().to_string()),
        Err(error) => return Read::Shown(error.render().to_string()),
    };
    let wanted = match &command {
        Command::Create(create) => wanted::request(&create.environment),
        Command::Run(run) => wanted::request(&run.environment),
        _ => return Read::Accepted,
    };
    match wanted {
        Ok(_) => Read::Accepted,
        Err(Failure::Core(error)) => Read::Refused(Exit::from(&error).status(), error.to_string()),
        Err(other) => Read::Refused(other.report().status(), String::new()),
    }
}
