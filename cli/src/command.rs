//! The commands there are. Their arguments are defined only once one of them is called: a process that lives a
//! millisecond has no time to define those of all the others.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use crate::args::{Cleanup, Completions, Create, List, Man, Reconcile, Run, Setup, Validate, Wait, Who};

/// A command with its arguments.
#[derive(Debug)]
pub(crate) enum Command {
    Create(Box<Create>),
    Run(Box<Run>),
    Wait(Wait),
    Who(Who),
    Validate(Validate),
    Cleanup(Cleanup),
    List(List),
    Reconcile(Reconcile),
    Setup(Setup),
    Version,
    Completions(Completions),
    Man(Man),
}

/// A command whose arguments are defined when it is called. What it does is told at once, for the list of commands.
fn lazy<A: Args>(name: &'static str, about: &'static str) -> clap::Command {
    clap::Command::new(name).about(about).defer(A::augment_args)
}

impl Subcommand for Command {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands([
            lazy::<Create>("create", "Make an environment: ports, an isolation ID, a temp dir and an env file"),
            lazy::<Run>("run", "Run a command in an environment that lives exactly as long as the command"),
            lazy::<Wait>("wait", "Wait until servers accept connections on ports, or until the ports are free again"),
            lazy::<Who>("who", "Show who is on a port: processes, sockets, and the lease or environment it belongs to"),
            lazy::<Validate>(
                "validate",
                "Check an environment: record, temp dir, env file, lease; and look at its ports",
            ),
            lazy::<Cleanup>(
                "cleanup",
                "Remove environments: temp dirs, env files and records; their ports may be leased again",
            ),
            lazy::<List>("list", "Show environments and leases: who has which ports, since when, and what is stale"),
            lazy::<Reconcile>(
                "reconcile",
                "Make labels and records agree again, after a crash or a hand edit, and say what was repaired",
            ),
            lazy::<Setup>(
                "setup",
                "Make the registry of this machine root's, so that no other user can remove it; needs root",
            ),
            clap::Command::new("version").about("Print the version"),
            lazy::<Completions>("completions", "Print a completion script for a shell"),
            lazy::<Man>("man", "Print the manual page, of portalloc or of one command"),
        ])
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Self::augment_subcommands(clap::Command::default()).find_subcommand(name).is_some()
    }
}

impl FromArgMatches for Command {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Some((name, matches)) = matches.subcommand() else {
            return Err(clap::Error::raw(ErrorKind::MissingSubcommand, "a command is needed"));
        };
        Ok(match name {
            "create" => Self::Create(Box::new(Create::from_arg_matches(matches)?)),
            "run" => Self::Run(Box::new(Run::from_arg_matches(matches)?)),
            "wait" => Self::Wait(Wait::from_arg_matches(matches)?),
            "who" => Self::Who(Who::from_arg_matches(matches)?),
            "validate" => Self::Validate(Validate::from_arg_matches(matches)?),
            "cleanup" => Self::Cleanup(Cleanup::from_arg_matches(matches)?),
            "list" => Self::List(List::from_arg_matches(matches)?),
            "reconcile" => Self::Reconcile(Reconcile::from_arg_matches(matches)?),
            "setup" => Self::Setup(Setup::from_arg_matches(matches)?),
            "version" => Self::Version,
            "completions" => Self::Completions(Completions::from_arg_matches(matches)?),
            "man" => Self::Man(Man::from_arg_matches(matches)?),
            _ => return Err(clap::Error::raw(ErrorKind::InvalidSubcommand, format!("there is no command {name:?}"))),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn what_a_command_does_is_told_alike_in_the_list_and_in_its_help() {
        let mut built = Cli::command();
        built.build();
        let told = Command::augment_subcommands(clap::Command::new("portalloc"));
        for command in told.get_subcommands() {
            let own = built.find_subcommand(command.get_name()).unwrap();
            assert_eq!(
                command.get_about().map(ToString::to_string),
                own.get_about().map(ToString::to_string),
                "{}",
                command.get_name()
            );
        }
    }
}
