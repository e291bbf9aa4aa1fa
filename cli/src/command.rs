//! The commands, and the command line as a whole.
//!
//! Clap's derived `Subcommand` would define the arguments of every command at every start. Defining only those of the
//! command that is called saves 60 us of 774 us of `portalloc --version` (8%; medians of 800 alternating runs).

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use clap::error::ErrorKind;
use clap::{Args, FromArgMatches};

use crate::args::{
    Cleanup, Completions, Create, Doctor, Down, Env, EnvironmentArgs, Exec, Format, List, Man, Port, Run, Setup, Stop,
    Validate, Wait, Who,
};
use crate::exit;

const HELP: &str = "\
Examples:
  portalloc create                          five ports, a temp directory and an env file
  eval \"$(portalloc create --names postgres,redis,api --shell)\"
                                            $POSTGRES_PORT, $REDIS_PORT, $API_PORT
  portalloc create --json | jq .ports       for programs
  portalloc run --names web -- node server.js
                                            only while the command runs
  eval \"$(portalloc env)\"                   the environment of this worktree, the
                                            same every time
  portalloc exec -- npm run dev             a command in it
  portalloc wait --mine                     until its servers are there, and its own
  portalloc stop                            ends them, and nothing else
  portalloc list                            who has which ports
  portalloc who 8080                        which process is on a port, and whose it is
  portalloc cleanup --stale                 remove what crashed runs left behind
  portalloc doctor                          does portalloc keep its promises here

Environment variables:
  PORTALLOC_POOL      ports to give out (20000-29999)
  PORTALLOC_EXCLUDE   ports never to give out, such as 27017,28000-28010
  PORTALLOC_DIR       the registry directory (/run/portalloc if root has set it
                      up, else /tmp/portalloc)
  PORTALLOC_LOG       a log on standard error: error, warn, info, debug (why each
                      port was refused) or trace
  TMPDIR              where environments have their temp directories (/tmp)
  NO_COLOR            no colors, even on a terminal

Project file:
  portalloc.toml, in the current directory or above, up to the one with the
  .git, declares names, ports, pool, exclude, prefer, sticky, guard,
  instance_id, and variables in [env]; arguments and variables override it
";

/// A command with its arguments.
#[derive(Debug)]
pub(crate) enum Command {
    Create(Box<Create>),
    Run(Box<Run>),
    Env(Box<Env>),
    Port(Box<Port>),
    Exec(Box<Exec>),
    Wait(Wait),
    Stop(Stop),
    Down(Down),
    Who(Who),
    Validate(Validate),
    Cleanup(Cleanup),
    List(List),
    Reconcile,
    Doctor(Doctor),
    Setup(Setup),
    Version,
    Completions(Completions),
    Man(Man),
}

/// The definition of the command line, for parsing, completions and manual pages.
pub(crate) fn definition() -> clap::Command {
    clap::Command::new("portalloc")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .about("Leases ports: while you hold one, no other process on this machine is given it")
        .after_help(format!("{HELP}\n{}", exit::HELP))
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([
            lazy::<Create>("create", "Create an environment: ports, an isolation ID, a temp directory and an env file"),
            lazy::<Run>("run", "Run a command in an environment that lives exactly as long as the command"),
            lazy::<Env>("env", "Print the variables of this worktree's environment, which is made on first use"),
            lazy::<Port>("port", "Print the number of a port of this worktree's environment"),
            lazy::<Exec>("exec", "Run a command in this worktree's environment, which stays when the command ends"),
            lazy::<Wait>("wait", "Wait until servers accept connections on ports, or until the ports are free again"),
            lazy::<Stop>("stop", "End the servers of this worktree's environment, and nothing else"),
            lazy::<Down>("down", "End the servers of this worktree's environment, and remove it"),
            lazy::<Who>("who", "Show who is on a port: processes, sockets, and the lease or environment it belongs to"),
            lazy::<Validate>(
                "validate",
                "Check an environment (record, temp directory, env file, lease) and its ports",
            ),
            lazy::<Cleanup>(
                "cleanup",
                "Remove environments: temp directories, env files and records; this frees their ports",
            ),
            lazy::<List>("list", "Show environments and leases: who has which ports, since when, and what is stale"),
            clap::Command::new("reconcile").about(
                "Repair labels and records that disagree after a crash or a manual edit, and report each repair",
            ),
            lazy::<Doctor>("doctor", "Examine whether portalloc keeps its promises on this machine, and why not"),
            lazy::<Setup>(
                "setup",
                "Make root the owner of this machine's registry, so that no other user can remove it; needs root",
            ),
            clap::Command::new("version").about("Print the version"),
            lazy::<Completions>("completions", "Print a completion script for a shell"),
            lazy::<Man>("man", "Print the manual page of portalloc or of one command"),
        ])
}

/// A command whose arguments are defined when it is called. The list of commands needs only `about`.
fn lazy<A: Args>(name: &'static str, about: &'static str) -> clap::Command {
    clap::Command::new(name).about(about).defer(define::<A>)
}

/// The arguments' own description continues that of the command.
fn define<A: Args>(command: clap::Command) -> clap::Command {
    let command = A::augment_args(command);
    match (command.get_about(), command.get_long_about()) {
        (Some(about), Some(more)) => {
            // Nothing has styles here, which `Display` would look for in each letter.
            let whole = format!("{}\n\n{}", about.ansi(), more.ansi());
            command.long_about(whole)
        }
        _ => command,
    }
}

/// Parses a command line, whose first word is the program's name.
pub(crate) fn parse(words: &[OsString]) -> Result<Command, clap::Error> {
    match without_options(words) {
        Some(command) => Ok(command),
        None => by_clap(words),
    }
}

/// What prompts, scripts and npm call all the time, without any option. To define the options that are not there takes clap
/// 120 us of 570 us of `portalloc env` (21%; medians of 500 alternating runs).
fn without_options(words: &[OsString]) -> Option<Command> {
    let environment = EnvironmentArgs::default();
    match words.get(1)?.to_str()? {
        "env" if words.len() == 2 => {
            let (format, json, shell, write, repair) = (Format::Shell, false, false, Vec::new(), false);
            Some(Command::Env(Box::new(Env { environment, format, json, shell, write, repair })))
        }
        "port" if words.len() == 3 => {
            let name = words.get(2)?.to_str().filter(|name| !name.starts_with('-'))?.to_owned();
            Some(Command::Port(Box::new(Port { name, ensure: false, environment })))
        }
        "exec" if words.len() > 3 && words.get(2)? == "--" => {
            let command = words.get(3..)?.to_vec();
            Some(Command::Exec(Box::new(Exec { environment, no_expand: false, command })))
        }
        _ => None,
    }
}

fn by_clap(words: &[OsString]) -> Result<Command, clap::Error> {
    // What the process ends with needs no clearing up, which takes as long as it does to make it.
    let mut definition = ManuallyDrop::new(definition());
    let matches = definition.try_get_matches_from_mut(words)?;
    Ok(match matches.subcommand() {
        Some(("create", given)) => Command::Create(Box::new(Create::from_arg_matches(given)?)),
        Some(("run", given)) => Command::Run(Box::new(Run::from_arg_matches(given)?)),
        Some(("env", given)) => Command::Env(Box::new(Env::from_arg_matches(given)?)),
        Some(("port", given)) => Command::Port(Box::new(Port::from_arg_matches(given)?)),
        Some(("exec", given)) => Command::Exec(Box::new(Exec::from_arg_matches(given)?)),
        Some(("wait", given)) => Command::Wait(Wait::from_arg_matches(given)?),
        Some(("stop", given)) => Command::Stop(Stop::from_arg_matches(given)?),
        Some(("down", given)) => Command::Down(Down::from_arg_matches(given)?),
        Some(("who", given)) => Command::Who(Who::from_arg_matches(given)?),
        Some(("validate", given)) => Command::Validate(Validate::from_arg_matches(given)?),
        Some(("cleanup", given)) => Command::Cleanup(Cleanup::from_arg_matches(given)?),
        Some(("list", given)) => Command::List(List::from_arg_matches(given)?),
        Some(("reconcile", _)) => Command::Reconcile,
        Some(("doctor", given)) => Command::Doctor(Doctor::from_arg_matches(given)?),
        Some(("setup", given)) => Command::Setup(Setup::from_arg_matches(given)?),
        Some(("version", _)) => Command::Version,
        Some(("completions", given)) => Command::Completions(Completions::from_arg_matches(given)?),
        Some(("man", given)) => Command::Man(Man::from_arg_matches(given)?),
        _ => return Err(clap::Error::raw(ErrorKind::InvalidSubcommand, "unknown command")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        definition().debug_assert();
    }

    #[test]
    fn clap_would_parse_the_same() {
        for text in
            ["env", "port web", "port 0", "port env", "exec -- npm run dev", "exec -- a -- -b", "exec -- --help"]
        {
            let words: Vec<OsString> = ["portalloc"].into_iter().chain(text.split(' ')).map(OsString::from).collect();
            let quick = without_options(&words).unwrap();
            assert_eq!(format!("{quick:?}"), format!("{:?}", by_clap(&words).unwrap()), "{text}");
        }
        for text in [
            "env --json",
            "port",
            "port --ensure web",
            "port -h",
            "port web x",
            "exec",
            "exec --",
            "exec a",
            "help env",
        ] {
            let words: Vec<OsString> = ["portalloc"].into_iter().chain(text.split(' ')).map(OsString::from).collect();
            assert!(without_options(&words).is_none(), "{text}");
        }
    }

    #[test]
    fn every_defined_command_can_be_called() {
        for command in definition().get_subcommands() {
            let name = command.get_name();
            let refused = |error: clap::Error| error.kind() != ErrorKind::InvalidSubcommand;
            assert!(parse(&["portalloc", name].map(OsString::from)).map_or_else(refused, |_| true), "{name}");
        }
    }
}
