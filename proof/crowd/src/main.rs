//! Millions of leases by all languages and several users, and thieves beside leases. `--help` says what there is.
//!
//! The program starts itself for whatever has to be a process of its own: contenders, thieves, commands of `run`.

mod args;
mod fault;
mod leases;
mod machine;
mod namespace;
mod sockets;
mod thieves;
mod user;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::fault::Fallible;

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Leases(options) => namespace::within(|| leases::prove(&options)),
        Command::Control(options) => namespace::within(|| leases::control(&options)),
        Command::Thieves(options) => namespace::within(|| thieves::prove(&options)),
        Command::Contend(options) => leases::contender::contend(&options).map(|()| ExitCode::SUCCESS),
        Command::Hold(options) => leases::command_line::hold(&options).map(|()| ExitCode::SUCCESS),
        Command::Steal(options) => thieves::steal(&options).map(|()| ExitCode::SUCCESS),
        Command::Portalloc { words } => Ok(portalloc_cli::run(words).into()),
    };
    done.unwrap_or_else(|error| {
        say(&format!("FAILED: {error}"));
        ExitCode::FAILURE
    })
}

/// For people, on standard error: results go to standard output.
#[expect(clippy::print_stderr, reason = "a program for a terminal")]
fn say(text: &str) {
    eprintln!("{text}");
}

/// A line of the result.
fn print(text: &str) -> Fallible<()> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
