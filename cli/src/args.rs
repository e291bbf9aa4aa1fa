//! The arguments of every command, and their help, which teaches by example. Parses; does nothing.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, ValueEnum};

use crate::command::Command;
use crate::exit;

const ABOUT: &str = "Leases ports that no other process on this machine can be given";

const TOP_HELP: &str = "\
Examples:
  portalloc create                          five ports, a temp dir and an env file
  eval \"$(portalloc create --names postgres,redis,api --shell)\"
                                            $POSTGRES_PORT, $REDIS_PORT, $API_PORT
  portalloc create --json | jq .ports       for programs
  portalloc run --names web -- node server.js
                                            for exactly as long as the command runs
  portalloc list                            who has which ports
  portalloc who 8080                        which process is on a port, and whose it is
  portalloc cleanup --stale                 remove what crashed runs have left

Environment variables:
  PORTALLOC_POOL      ports to give out (20000-29999)
  PORTALLOC_EXCLUDE   ports never to give out, such as 27017,28000-28010
  PORTALLOC_DIR       the registry's folder (/run/portalloc if root has set it
                      up, else /tmp/portalloc)
  NO_COLOR            no colours, whatever the terminal

Project file:
  portalloc.toml, in the current folder or above, declares names, ports, pool, exclude, sticky, guard
  and instance_id; arguments and variables go before it
";

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "portalloc", version, about = ABOUT, after_help = format!("{TOP_HELP}\n{}", exit::HELP), max_term_width = 100)]
#[command(disable_help_subcommand = false, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What an environment is to be like: options of every command that makes one.
#[derive(Debug, Args)]
pub(crate) struct EnvironmentArgs {
    /// How many consecutive ports [default: as many as names, else 5]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = parse_count)]
    pub(crate) ports: Option<usize>,

    /// Names for the ports: postgres becomes the variable POSTGRES_PORT
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) names: Vec<String>,

    /// What tells this environment from others of the same work tree
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) instance_id: Option<String>,

    /// The work tree it is for [default: the folder of portalloc.toml, else the current folder]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) worktree: Option<PathBuf>,

    /// The same ports again as last time, and as on other machines, whenever they are free
    #[arg(long)]
    pub(crate) sticky: bool,

    /// Ports that need not be consecutive
    #[arg(long, conflicts_with_all = ["offsets", "specific"])]
    pub(crate) scattered: bool,

    /// A base port and those so far above it, such as 0,1,10000 for Redis Cluster's bus port
    #[arg(long, value_name = "0,A,B", value_delimiter = ',', conflicts_with_all = ["ports", "specific"])]
    pub(crate) offsets: Vec<u16>,

    /// Exactly these ports, in the pool or not, such as 8080,8443
    #[arg(long, value_name = "PORTS", value_delimiter = ',', conflicts_with = "ports")]
    pub(crate) specific: Vec<u16>,

    /// Ports to give out, such as 20000-29999 [default: $PORTALLOC_POOL]
    #[arg(long, value_name = "PORTS")]
    pub(crate) pool: Option<String>,

    /// Ports never to give out, such as 27017,28000-28010 [default: $PORTALLOC_EXCLUDE]
    #[arg(long, value_name = "PORTS")]
    pub(crate) exclude: Option<String>,

    /// Wait up to this long for ports to come free, such as 30s [default: fail at once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) wait: Option<Duration>,
}

/// Make an environment: ports, an isolation ID, a temp dir and an env file
///
/// It is kept until you clean it up, its TTL is over, or its owner ends. Its ports are consecutive, and nobody else is
/// given them for as long as it is there.
///
/// What the options leave open, portalloc.toml declares: the nearest one in the work tree or above. Its folder is the
/// work tree where none is named.
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
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,

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

/// Run a command in an environment that lives exactly as long as the command
///
/// The ports are held until the command, and whatever it leaves running, has ended; then temp dir and record are
/// removed. In the command's arguments {NAME} and {0} become the port of that name or number, and it finds all of them
/// in its environment. Signals are passed on, and the exit status is the command's (128 and the signal's number if it was
/// killed; 127 if it was not found, 126 if it cannot be executed).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc run --names web -- python3 -m http.server {web}
  portalloc run --names postgres,redis -- pytest -n 8
  portalloc run --names web --guard -- node server.js   nobody else gets in first
  portalloc run --names web --listen -- gunicorn app    the socket itself, by systemd's protocol
")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,

    /// Keep strangers off the ports, until a server that sets SO_REUSEADDR binds them, as most do
    #[arg(long)]
    pub(crate) guard: bool,

    /// Pass listening sockets by systemd's protocol (LISTEN_FDS) [default addresses: 127.0.0.1,::1]
    ///
    /// For a server that takes no more than one socket a port, name one address: on one that nobody accepts from, clients
    /// would hang.
    #[arg(long, value_name = "ADDRESSES", num_args = 0.., require_equals = true, value_delimiter = ',')]
    pub(crate) listen: Option<Vec<IpAddr>>,

    /// Write an env file, too [default path: .env.isolation in the work tree]
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) env_file: Option<Option<PathBuf>>,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
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
///
/// The map shows every port of the pool: free, held by a process, kept by an environment, stale, or taken by a stranger,
/// a program without a lease. It only reads, and gets in nobody's way.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc list
  portalloc list --map                          every port of the pool
  portalloc list --map --watch                  until q or Ctrl-C
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

    /// With a map of the pool; in JSON as ranges, by class
    #[arg(long)]
    pub(crate) map: bool,

    /// Show it again every so many seconds [default: 1], until q or Ctrl-C; into a pipe, one after the other
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    #[arg(value_parser = parse_interval, conflicts_with = "json")]
    pub(crate) watch: Option<Duration>,

    /// The pool of the map [default: $PORTALLOC_POOL, else of portalloc.toml, else 20000-29999]
    #[arg(long, value_name = "PORTS", requires = "map")]
    pub(crate) pool: Option<String>,

    /// Ports that are not in it [default: $PORTALLOC_EXCLUDE, else of portalloc.toml]
    #[arg(long, value_name = "PORTS", requires = "map")]
    pub(crate) exclude: Option<String>,
}

/// How `list` writes its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

/// Wait until servers accept connections on ports, or until the ports are free again
///
/// Open means that each port accepts a TCP connection on 127.0.0.1 or on ::1. Free means that nothing is bound to it any
/// more, TCP or UDP, on any address, whether it is leased or not; connections closed within the last minute (TIME_WAIT)
/// count, too. When the time is over, the message says what was seen
/// last of each port that is not there yet, and the exit status is 3.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("for_what").required(true).args(["ports", "id"]))]
#[command(after_help = "\
Examples:
  portalloc wait 20010                          until a server listens there
  portalloc wait $POSTGRES_PORT $API_PORT --timeout 2m
  portalloc wait --id $ISOLATION_ID             every port of an environment
  portalloc wait 20010-20014 --free             until all five are free again
")]
pub(crate) struct Wait {
    /// The ports, such as 20010 or 20010-20014
    #[arg(value_name = "PORT", conflicts_with = "id")]
    pub(crate) ports: Vec<String>,

    /// The environment with this ID: all of its ports
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Until nothing is bound to them any more
    #[arg(long)]
    pub(crate) free: bool,

    /// Give up after this long, such as 500ms, 30s or 2m; 0s looks once
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "30s")]
    pub(crate) timeout: Duration,
}

/// Show who is on a port: processes, sockets, and the lease or environment it belongs to
///
/// Nothing is disturbed: no port is locked or probed. Processes of other users are shown to root only.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whose").required(true).args(["ports", "id"]))]
#[command(after_help = "\
Examples:
  portalloc who 8080
  portalloc who 5432 6379 --json | jq '.ports[].sockets[].processes[].pid'
  portalloc who --id 3f9a0c71d2e4               the ports of an environment

JSON: one object with the array \"ports\", each with
  port, in_use, message   the port, whether a socket is on it, a sentence
  lease                   null, or lifetime (held, kept), holder {pid, name},
                          since, isolation_id, worktree_path, instance_id
  sockets                 protocol, local, remote, state, user_id, processes,
                          hidden (null, or why no process is shown:
                          other_user, elsewhere)
  sockets[].processes     pid, name, command, user_id, user, started_at
  complete                false where the kernel does not show sockets that
                          are bound and do not listen (before Linux 6.8)
")]
pub(crate) struct Who {
    /// The ports
    #[arg(value_name = "PORT")]
    pub(crate) ports: Vec<u16>,

    /// All ports of the environment with this ID
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make labels and records agree again, after a crash or a hand edit, and say what was repaired
#[derive(Debug, Args)]
pub(crate) struct Reconcile {}

/// Make the registry of this machine root's, so that no other user can remove it; needs root
#[derive(Debug, Args)]
#[command(after_help = "\
Makes /run/portalloc, with mode 1777, and /etc/tmpfiles.d/portalloc.conf, by which systemd makes it again at every boot and
leaves /tmp/portalloc* alone when it cleans up. From then on it is the registry of every process on this machine that is not
given another by PORTALLOC_DIR; before, and without it, that is /tmp/portalloc. It refuses to change anything while a lease
or a kept environment has ports.

Examples:
  sudo portalloc setup
  sudo portalloc setup --remove
")]
pub(crate) struct Setup {
    /// Remove what it has made: the registry is /tmp/portalloc again
    #[arg(long)]
    pub(crate) remove: bool,
}

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

/// Seconds, or a time with its unit as everywhere else. Not so short that nothing but looking is done.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds.or_else(|| humantime::parse_duration(text).ok()) {
        Some(interval) if interval >= Duration::from_millis(50) => Ok(interval),
        Some(_) => Err("the shortest interval is 0.05 seconds".to_owned()),
        None => Err("not a number of seconds, such as 2 or 0.5".to_owned()),
    }
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
