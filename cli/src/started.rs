//! The commands that `run` and `exec` start.

use std::ffi::OsString;
use std::process::Command;

use portalloc::{Environment, Error, ErrorCode};

use crate::exit::{Exit, Failure};
use crate::output;

/// The command of these words, in which placeholders are replaced by ports unless that is not wanted.
pub(crate) fn command(environment: &Environment, words: &[OsString], no_expand: bool) -> Command {
    let mut words = words.iter().map(|word| if no_expand { word.clone() } else { fill(environment, word) });
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// An argument that is not UTF-8 has no placeholders.
fn fill(environment: &Environment, word: &OsString) -> OsString {
    word.to_str().map_or_else(|| word.clone(), |text| environment.record().fill(text).into())
}

/// A command that could not be started has the exit statuses of shells.
pub(crate) fn refused(error: Error) -> Result<Exit, Failure> {
    let status = match error.code() {
        ErrorCode::NotFound => 127,
        ErrorCode::PermissionDenied => 126,
        _ => return Err(error.into()),
    };
    output::error(&format!("{}: {error}", error.code()));
    Ok(Exit::Command(status))
}
