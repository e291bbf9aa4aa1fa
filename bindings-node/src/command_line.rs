//! The command line: this process becomes the binary that the package contains.
//!
//! It does not call the library: `run` blocks signals in its whole process, and Node has threads that do not. So the binary
//! replaces Node and has its PID, terminal and signals. It does not get descriptors beyond the first three, which Node
//! lets no program inherit.

use std::convert::Infallible;
use std::io;
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(unix)]
use std::os::unix::process::CommandExt;
#[cfg(unix)]
use std::process::{Command, Stdio};

use napi_derive::napi;

/// Replaces this process by the program. Returns only if that fails, with the reason.
#[napi]
pub fn become_program(program: String, args: Vec<String>) -> String {
    match exec(&program, &args) {
        Ok(never) => match never {},
        Err(error) => error.to_string(),
    }
}

#[cfg(unix)]
fn exec(program: &str, args: &[String]) -> io::Result<Infallible> {
    let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
    let mut command = Command::new(program);
    command.arg0("portalloc").args(args);
    // Node has marked its own to be closed on exec; copies take their places.
    command.stdin(copy(input.as_fd())?).stdout(copy(output.as_fd())?).stderr(copy(errors.as_fd())?);
    Err(command.exec())
}

/// Nowhere else does a program take the place of a process.
#[cfg(not(unix))]
fn exec(_program: &str, _args: &[String]) -> io::Result<Infallible> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn copy(stream: BorrowedFd<'_>) -> io::Result<Stdio> {
    stream.try_clone_to_owned().map(Stdio::from)
}
