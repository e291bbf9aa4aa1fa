//! One file a command: reads its arguments, calls the core once, shows the result.

mod cleanup;
mod create;
mod list;
mod manual;
mod reconcile;
mod run;
mod setup;
mod validate;
mod wait;
mod who;

use portalloc::{Allocator, Settings};

use crate::command::Command;
use crate::exit::{Exit, Failure};
use crate::output;

/// Runs one command.
pub(crate) fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Cleanup(args) => cleanup::run(&args),
        Command::List(args) => list::run(&args),
        Command::Who(args) => who::run(&args),
        Command::Wait(args) => wait::run(&args),
        Command::Reconcile(_) => reconcile::run(),
        Command::Setup(args) => setup::run(&args),
        Command::Version => manual::version(),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
    }
}

/// Opens the registry and passes on what the user should know.
fn open(settings: Settings) -> Result<Allocator, Failure> {
    let allocator = settings.open()?;
    warn();
    Ok(allocator)
}

/// Passes on what the core has to say though nothing failed.
pub(crate) fn warn() {
    portalloc::process::take_warnings().iter().for_each(|warning| output::warning(&warning.message));
}
