//! The arguments of every command, and their help, which teaches by example. Parses; does nothing.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::exit;

const ABOUT: &str = "Leases ports that no other process on this machine can be given";

const TOP_HELP: &str = "\
Examples:
  portalloc create                          five ports, a temp dir and an env file
  eval \"$(portalloc create --names postgres,redis,api --shell)\"
                                            $POSTGRES_PORT, $REDIS_PORT, $API_PORT
  portalloc create --json | jq .ports       for programs
  portalloc list                            who has which ports
  portalloc cleanup --stale                 remove what crashed runs have left

Environment variables:
  PORTALLOC_POOL      ports to give out (20000-29999)
  PORTALLOC_EXCLUDE   ports never to give out, such as 27017,28000-28010
  PORTALLOC_DIR       the registry's folder (/dev/shm/portalloc, else /tmp/portalloc)
  NO_COLOR            no colours, whatever the terminal
";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "portalloc", version, about = ABOUT, after_help = format!("{TOP_HELP}\n{}", exit::HELP), max_term_width = 100)]
#[command(disable_help_subcommand = false, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(Box<Create>),
    Validate(Validate),
    Cleanup(Cleanup),
    List(List),
    Reconcile(Reconcile),
    /// Print the version
    Version,
    Completions(Completions),
    Man(Man),
}

/// Where ports come from: options of every command that gives some out.
#[derive(Debug, Args)]
pub(crate) struct PoolArgs {
    /// Ports to give out, such as 20000-29999 [default: $PORTALLOC_POOL]
    #[arg(long, value_name = "PORTS")]
    pub(crate) pool: Option<String>,

    /// Ports never to give out, such as 27017,28000-28010 [default: $PORTALLOC_EXCLUDE]
    #[arg(long, value_name = "PORTS")]
    pub(crate) exclude: Option<String>,
}

/// Make an environment: ports, an isolation ID, a temp dir and an env file
///
/// It is kept until you clean it up, its TTL is over, or its owner ends. Its ports are consecutive, and nobody else is
/// given them for as long as it is there.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc create                              five ports
  eval \"$(portalloc create --names postgres,redis,api --shell)\"
                                                $POSTGRES_PORT, $REDIS_PORT, $API_PORT
  portalloc create --ports 3 --ttl 2h           over in two hours
  portalloc create --owner-pid $$               over when this shell ends
  portalloc create --format github              variables for the next steps of a GitHub job
  docker compose --env-file .env.isolation up   what the env file is for
")]
pub(crate) struct Create {
    /// How many consecutive ports [default: as many as names, else 5]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = parse_count)]
    pub(crate) ports: Option<usize>,

    /// Names for the ports: postgres becomes the variable POSTGRES_PORT
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) names: Vec<String>,

    /// What tells this environment from others of the same work tree
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) instance_id: String,

    /// The work tree it is for [default: the current folder]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) worktree: Option<PathBuf>,

    /// How the result is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = CreateFormat::Human, conflicts_with_all = ["json", "shell"])]
    pub(crate) format: CreateFormat,

    /// Short for --format json
    #[arg(long, conflicts_with = "shell")]
    pub(crate) json: bool,

    /// Short for --format shell: safe to eval, whatever the paths contain
    #[arg(long)]
    pub(crate) shell: bool,

    /// Stale after this long, such as 30m, 2h or 1d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,

    /// Stale once this process has ended
    #[arg(long, value_name = "PID")]
    pub(crate) owner_pid: Option<u32>,

    /// Where the env file goes [default: .env.isolation in the work tree]
    #[arg(long, value_name = "PATH", conflicts_with = "no_env_file")]
    pub(crate) env_file: Option<PathBuf>,

    /// Write no env file
    #[arg(long)]
    pub(crate) no_env_file: bool,

    #[command(flatten)]
    pub(crate) pool: PoolArgs,

    /// Wait up to this long for ports to come free, such as 30s [default: fail at once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) wait: Option<Duration>,
}

/// How `create` writes its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CreateFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
    /// export NAME='value' for sh, bash and zsh
    Shell,
    /// set -gx NAME 'value'
    Fish,
    /// $env:NAME = 'value'
    #[value(name = "powershell")]
    PowerShell,
    /// NAME=value
    Dotenv,
    /// Appended to $GITHUB_ENV and $GITHUB_OUTPUT
    Github,
}

/// Check an environment: record, temp dir, env file, lease; and look at its ports
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc validate --id 3f9a0c71d2e4
  portalloc validate                        the one named by $ISOLATION_ID
")]
pub(crate) struct Validate {
    /// The environment's ID [default: $ISOLATION_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Remove environments: temp dirs, env files and records; their ports may be leased again
///
/// Works from any folder, and again without harm. Removes nothing that portalloc did not make for that very
/// environment. One that a live process holds is left: end the process.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["id", "all", "stale", "older_than"]))]
#[command(after_help = "\
Examples:
  portalloc cleanup --id 3f9a0c71d2e4
  portalloc cleanup --stale                     what crashed and expired runs have left
  portalloc cleanup --all --worktree .          every one of this work tree
  portalloc cleanup --older-than 1d
")]
pub(crate) struct Cleanup {
    /// The environment with this ID; may be given several times
    #[arg(long, value_name = "ID")]
    pub(crate) id: Vec<String>,

    /// Every kept environment of this user
    #[arg(long)]
    pub(crate) all: bool,

    /// Every stale one, and what crashes have left
    #[arg(long)]
    pub(crate) stale: bool,

    /// Every kept one made longer ago than this, such as 2h
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) older_than: Option<Duration>,

    /// Only those of this work tree
    #[arg(short, long, value_name = "DIR")]
    pub(crate) worktree: Option<PathBuf>,
}

/// Show environments and leases: who has which ports, since when, and what is stale
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc list
  portalloc list --format json | jq '.environments[].ports'
")]
pub(crate) struct List {
    /// How the result is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,

    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,

    /// Reconcile first
    #[arg(long)]
    pub(crate) reconcile: bool,
}

/// How `list` writes its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

/// Make labels and records agree again, after a crash or a hand edit, and say what was repaired
#[derive(Debug, Args)]
pub(crate) struct Reconcile {}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc completions bash > ~/.local/share/bash-completion/completions/portalloc
  portalloc completions zsh > ~/.zfunc/_portalloc
  portalloc completions fish > ~/.config/fish/completions/portalloc.fish
")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page, of portalloc or of one command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc man | man -l -
  portalloc man create > portalloc-create.1
")]
pub(crate) struct Man {
    /// The command
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

/// Numbers of ports are checked by the core, against the pool; here only what is no number at all.
fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| byte.is_ascii_digit()) => "ask for at least 1 port".to_owned(),
        _ => "not a number of ports".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_help() {
        for command in Cli::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
        }
    }
}
