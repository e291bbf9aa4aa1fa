//! One file for each command: it reads the arguments, calls the core once and shows the result.

mod cleanup;
mod create;
mod doctor;
mod down;
mod env;
mod exec;
mod list;
mod manual;
mod port;
mod reconcile;
mod run;
mod setup;
mod stop;
mod validate;
mod wait;
mod who;

pub(crate) use env::refuse;

use crate::command::Command;
use crate::exit::{Exit, Failure};

/// Runs one command.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Env(args) => env::run(&args),
        Command::Port(args) => port::run(&args),
        Command::Exec(args) => exec::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Cleanup(args) => cleanup::run(&args),
        Command::List(args) => list::run(&args),
        Command::Who(args) => who::run(&args),
        Command::Wait(args) => wait::run(&args),
        Command::Stop(args) => stop::run(&args),
        Command::Down(args) => down::run(&args),
        Command::Reconcile => reconcile::run(),
        Command::Doctor(args) => doctor::run(&args),
        Command::Setup(args) => setup::run(&args),
        Command::Version => manual::version(),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}
