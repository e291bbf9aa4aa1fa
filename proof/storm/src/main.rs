//! Processes of all languages, killed at random instants: which part this process plays. The storm itself starts the
//! others, so that it needs no program besides this one for the workers in Rust and the command line.

mod arguments;
mod failure;
mod fault;
mod ground;
mod instant;
mod inventory;
mod journal;
mod judge;
mod language;
mod nursery;
mod scenarios;
mod storm;
mod tally;
mod victim;
mod worker;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, NURSERY};

fn main() -> ExitCode {
    let mut given = std::env::args_os();
    let called = given.next().unwrap_or_default();
    // A link of that name lies in the storm's directory.
    if Path::new(&called).file_name().is_some_and(|name| name == "portalloc") {
        return portalloc_cli::run(std::env::args_os()).into();
    }
    let outcome = match given.next() {
        Some(first) if first == NURSERY => worker::nursery(),
        _ => scenarios::run(&Arguments::parse()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
