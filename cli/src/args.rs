//! The arguments of every command, and their help, which teaches by example. No logic.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

// The options of every command that creates an environment. Structs of arguments have no doc comments: clap would take
// them for the command's description, which is in command.rs.
#[derive(Debug, Default, Args)]
pub(crate) struct EnvironmentArgs {
    /// Number of consecutive ports [default: one for each name, else 5]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true, value_parser = parse_count)]
    pub(crate) ports: Option<usize>,

    /// Names of the ports: postgres becomes the variable POSTGRES_PORT
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    pub(crate) names: Vec<String>,

    /// Text that distinguishes this environment from others of the same worktree
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) instance_id: Option<String>,

    /// The worktree [default: the nearest directory upwards with a .git, else that of portalloc.toml, else the current one]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) worktree: Option<PathBuf>,

    /// Prefer the same ports as last time, and as on other machines
    #[arg(long)]
    pub(crate) sticky: bool,

    /// Base ports to try first, inside or outside the pool, such as 3000,3100; others if these are in use
    #[arg(long, value_name = "PORTS", conflicts_with = "specific")]
    pub(crate) prefer: Option<String>,

    /// Allow ports that are not consecutive
    #[arg(long, conflicts_with_all = ["offsets", "specific"])]
    pub(crate) scattered: bool,

    /// A base port and ports at these offsets above it, such as 0,1,10000 for Redis Cluster's bus port
    #[arg(long, value_name = "0,A,B", value_delimiter = ',', conflicts_with_all = ["ports", "specific"])]
    pub(crate) offsets: Vec<u16>,

    /// Exactly these ports, inside or outside the pool, such as 8080,9000-9003
    #[arg(long, value_name = "PORTS", conflicts_with = "ports")]
    pub(crate) specific: Option<String>,

    /// Ports to give out, such as 20000-29999 [default: $PORTALLOC_POOL]
    #[arg(long, value_name = "PORTS")]
    pub(crate) pool: Option<String>,

    /// Ports never to give out, such as 27017,28000-28010 [default: $PORTALLOC_EXCLUDE]
    #[arg(long, value_name = "PORTS")]
    pub(crate) exclude: Option<String>,

    /// Wait up to this long for ports to become free, such as 30s [default: fail at once]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) wait: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(long_about = "\
The environment is kept until you clean it up, its TTL expires or its owner ends. Until then nobody else is given its \
ports, which are consecutive.

The nearest portalloc.toml supplies what the options leave out. It is looked for from the worktree or the current \
directory upwards, up to the directory with the .git and no further. Without --worktree, that directory is the worktree; \
without Git it is that of portalloc.toml, else the current one.")]
#[command(after_help = "\
Examples:
  portalloc create                              five ports
  eval \"$(portalloc create --names postgres,redis,api --shell)\"
                                                $POSTGRES_PORT, $REDIS_PORT, $API_PORT
  portalloc create --prefer 3000 --names web    port 3000 if nobody has it, else another
  portalloc create --ports 3 --ttl 2h           expires in two hours
  portalloc create --owner-pid $$               ends with this shell
  portalloc create --format github              variables for the later steps of a GitHub job
  docker compose --env-file .env.isolation up   use the env file
")]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,

    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Human, conflicts_with_all = ["json", "shell"])]
    pub(crate) format: Format,

    /// Short for --format json
    #[arg(long, conflicts_with = "shell")]
    pub(crate) json: bool,

    /// Short for --format shell: safe to eval, even if paths contain special characters
    #[arg(long)]
    pub(crate) shell: bool,

    /// Time until the environment is stale, such as 30m, 2h or 1d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) ttl: Option<Duration>,

    /// The environment is stale once this process has ended
    #[arg(long, value_name = "PID")]
    pub(crate) owner_pid: Option<u32>,

    /// Path of the env file [default: .env.isolation in the worktree]
    #[arg(long, value_name = "PATH", conflicts_with = "no_env_file")]
    pub(crate) env_file: Option<PathBuf>,

    /// Write no env file
    #[arg(long)]
    pub(crate) no_env_file: bool,
}

/// Formats that show an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
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

#[derive(Debug, Args)]
#[command(long_about = "\
The environment is made when it is first asked for, and is the same ever after, from any subdirectory, shell or process: \
the nearest directory with a .git is the worktree, without Git that of the nearest portalloc.toml, else the current one. \
It keeps its ports until you clean it up, and prefers the same ones when it is made again.

Ports, names and other options apply when it is made. If it has others by now than portalloc.toml declares, a warning \
says so. If portalloc fails, the formats for shells also print a command that fails, so that the eval fails.

--repair moves it if a process that is not its own, or that cannot be inspected, listens on one of its ports or has bound \
one. It changes nothing if nobody else is on them. While its own servers run there, it refuses: stop them first.")]
#[command(after_help = "\
Examples:
  eval \"$(portalloc env)\"                      $WEB_PORT, $ISOLATION_ID, $TEMP_DIR and the others
  portalloc env --format fish | source
  portalloc env --json | jq .variables
  portalloc env --write .env.local              and in a block of a file that you edit, too
  portalloc env --repair                        other ports, if a foreign process has taken one
  portalloc down                                ends its servers and gives the ports back
")]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,

    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Shell, conflicts_with_all = ["json", "shell"])]
    pub(crate) format: Format,

    /// Short for --format json
    #[arg(long, conflicts_with = "shell")]
    pub(crate) json: bool,

    /// Short for --format shell, which is the default
    #[arg(long)]
    pub(crate) shell: bool,

    /// Also write the variables into a managed block of this file, where everything else stays as it is, and the block is
    /// removed with the environment; can be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) write: Vec<PathBuf>,

    /// Move it to other ports if a foreign process has taken one, or if other names are declared by now; refused while its
    /// own servers run
    #[arg(long)]
    pub(crate) repair: bool,
}

#[derive(Debug, Args)]
#[command(long_about = "\
Prints the number alone. If the worktree has no environment yet, the exit status is 4, or it is made with --ensure.")]
#[command(after_help = "\
Examples:
  curl \"http://127.0.0.1:$(portalloc port web)/\"
  portalloc port --ensure postgres              makes the worktree's environment if there is none
  portalloc port 0                              the first port, if ports have no names
")]
pub(crate) struct Port {
    /// The name of the port, or its index from 0
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Make the environment if there is none
    #[arg(long)]
    pub(crate) ensure: bool,

    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
}

#[derive(Debug, Args)]
#[command(long_about = "\
The command takes the place of portalloc. It gets the environment's variables, and a hold on the environment: as long as it \
runs, or anything that it has started, the environment cannot be cleaned up. The environment is made if there is none, and \
stays when the command ends; `portalloc run` makes one of its own for each command.

In the command's arguments, {NAME} is replaced by the port of that name, {port} by the first port, {port:N} by the Nth, \
counted from 0; other braces, ${NAME} and {{NAME}} stay as they are. The exit status is the command's, or 127 if it was not \
found, 126 if it cannot be executed.")]
#[command(after_help = "\
Examples:
  portalloc exec -- npm run dev
  portalloc exec -- python3 -m http.server {web}
  portalloc exec -- sh -c 'psql -p \"$POSTGRES_PORT\"'
  portalloc exec -- bash                        a shell with the variables
")]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,

    /// Leave {NAME}, {port} and {port:N} in the arguments as they are
    #[arg(long)]
    pub(crate) no_expand: bool,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(long_about = "\
When the command ends, portalloc frees the ports and removes the temp directory and the record, unless the command \
has left processes running: these keep the environment until they end. In the command's arguments, {NAME} is replaced \
by the port of that name, {port} by the first port, {port:N} by the Nth, counted from 0; other braces, ${NAME} and \
{{NAME}} stay as they are. Environment variables name all ports. Signals are forwarded to the command. The exit status is the command's: 128 plus the signal's number if it was killed, 127 if it was not found, \
126 if it cannot be executed.")]
#[command(after_help = "\
Examples:
  portalloc run --names web -- python3 -m http.server {web}
  portalloc run --names postgres,redis -- pytest -n 8
  portalloc run --names web --guard -- node server.js   no other program binds the port first
  portalloc run --names web --listen -- gunicorn app    socket activation by systemd's protocol
")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,

    /// Keep foreign processes off the ports until the server binds them; it must set SO_REUSEADDR, as most do
    #[arg(long)]
    pub(crate) guard: bool,

    /// Pass listening sockets by systemd's protocol (LISTEN_FDS) [default addresses: 127.0.0.1,::1]
    ///
    /// If the server accepts only one socket for each port, name one address: clients that connect to a socket that
    /// nobody accepts from would hang.
    #[arg(long, value_name = "ADDRESSES", num_args = 0.., require_equals = true, value_delimiter = ',')]
    pub(crate) listen: Option<Vec<IpAddr>>,

    /// Leave {NAME}, {port} and {port:N} in the arguments as they are
    #[arg(long)]
    pub(crate) no_expand: bool,

    /// Also write an env file [default path: .env.isolation in the worktree]
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub(crate) env_file: Option<Option<PathBuf>>,

    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  portalloc validate --id 3f9a0c71d2e4
  portalloc validate                        the environment that $ISOLATION_ID names
")]
pub(crate) struct Validate {
    /// The environment's ID [default: $ISOLATION_ID]
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(long_about = "\
Works from any directory, and is safe to run twice. It removes only what portalloc made for the environment. It does \
not remove an environment that a live process holds: end that process first.")]
#[command(group = ArgGroup::new("which").required(true).args(["id", "all", "stale", "older_than"]))]
#[command(after_help = "\
Examples:
  portalloc cleanup --id 3f9a0c71d2e4
  portalloc cleanup --stale                     what crashed and expired runs left behind
  portalloc cleanup --all --worktree .          every kept environment of this worktree
  portalloc cleanup --older-than 1d
")]
pub(crate) struct Cleanup {
    /// The environment with this ID; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) id: Vec<String>,

    /// Every kept environment of this user
    #[arg(long)]
    pub(crate) all: bool,

    /// Every stale environment, and what crashes left behind
    #[arg(long)]
    pub(crate) stale: bool,

    /// Every kept environment older than this, such as 2h
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) older_than: Option<Duration>,

    /// Only environments of this worktree
    #[arg(short, long, value_name = "DIR")]
    pub(crate) worktree: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(long_about = "\
The map shows every port of the pool: free, held by a process, kept by an environment, stale, or foreign (used by a \
program without a lease). Listing only reads: it never blocks other processes.")]
#[command(after_help = "\
Examples:
  portalloc list
  portalloc list --map                          every port of the pool
  portalloc list --map --watch                  until q or Ctrl-C
  portalloc list --format json | jq '.environments[].ports'
")]
pub(crate) struct List {
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,

    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,

    /// Reconcile first
    #[arg(long)]
    pub(crate) reconcile: bool,

    /// Add a map of the pool; in JSON, the ranges of each class
    #[arg(long)]
    pub(crate) map: bool,

    /// Repeat every SECONDS [default: 1] until q or Ctrl-C; in a pipe, print one list after the other
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    #[arg(value_parser = parse_interval, conflicts_with = "json")]
    pub(crate) watch: Option<Duration>,

    /// The pool of the map [default: $PORTALLOC_POOL, else that of portalloc.toml, else 20000-29999]
    #[arg(long, value_name = "PORTS", requires = "map")]
    pub(crate) pool: Option<String>,

    /// Ports to leave out of it [default: $PORTALLOC_EXCLUDE, else those of portalloc.toml]
    #[arg(long, value_name = "PORTS", requires = "map")]
    pub(crate) exclude: Option<String>,
}

/// Output formats of `list`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Table,
    /// One JSON object
    Json,
}

// How to find the environment of a worktree.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The worktree [default: that of the current directory]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) worktree: Option<PathBuf>,

    /// Text that distinguishes the environment from others of the same worktree
    #[arg(short, long, value_name = "TEXT")]
    pub(crate) instance_id: Option<String>,
}

#[derive(Debug, Args)]
#[command(long_about = "\
A port is open when it accepts a TCP connection on 127.0.0.1 or on ::1. With --http it must also answer a GET with a \
status below 400; no redirect is followed. It is free when nothing is bound to it any more, TCP or UDP, on any address, \
whether it is leased or not; connections closed within the last minute (TIME_WAIT) count as bound. Without ports, the \
wait is for every port of this worktree's environment, which may also be made meanwhile.

With --mine, the server must be one of this worktree's environment: it was started by `portalloc exec`, carries the \
environment's ISOLATION_ID, descends from such a process, or runs in the worktree. The wait fails at once, with status 3, \
if somebody else's server listens, and says whose; it goes on if that cannot be told, as with root's or a container's.

On a timeout, the message gives the last state of each port that is not ready yet, and the exit status is 3.")]
#[command(after_help = "\
Examples:
  portalloc wait web --mine                     until this worktree's server is there
  portalloc wait --mine --http /health          all of its servers, each with an answer
  portalloc wait 20010                          until a server listens on it
  portalloc wait 8080 --http / --status 200     until it answers with exactly this status
  portalloc wait $POSTGRES_PORT $API_PORT --timeout 2m
  portalloc wait --id $ISOLATION_ID             every port of an environment
  portalloc wait 20010-20014 --free             until all five are free again
")]
pub(crate) struct Wait {
    /// The ports, such as 20010 or 20010-20014, or names of this worktree's [default: all of them]
    #[arg(value_name = "PORT", conflicts_with = "id")]
    pub(crate) ports: Vec<String>,

    /// All ports of the environment with this ID
    #[arg(long, value_name = "ID", conflicts_with_all = ["worktree", "instance_id"])]
    pub(crate) id: Option<String>,

    #[command(flatten)]
    pub(crate) which: Which,

    /// The servers must be this environment's own
    #[arg(long, conflicts_with = "free")]
    pub(crate) mine: bool,

    /// The servers must answer a GET of this path with a status below 400
    #[arg(long, value_name = "PATH", conflicts_with = "free")]
    pub(crate) http: Option<String>,

    /// The answer must have exactly this status
    #[arg(long, value_name = "N", requires = "http")]
    pub(crate) status: Option<u16>,

    /// Wait until nothing is bound to the ports any more
    #[arg(long)]
    pub(crate) free: bool,

    /// Give up after this long, such as 500ms, 30s or 2m; 0s checks once
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "30s")]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
#[command(long_about = "\
Ends the processes on the ports of this worktree's environment that are its own: started by `portalloc exec`, or with its \
ISOLATION_ID, or below such a process, or in the worktree or its temp directory without another ISOLATION_ID. It never \
ends this process or one above it, such as your shell, editor or agent, nor a shell that leads a terminal. What restarts \
a server is ended, too, if it is the environment's.

Each process is asked to end (SIGTERM), and killed after --timeout (SIGKILL). If somebody else's process is on a port, the \
exit status is 5, and its name, PID and directory are shown; 1 if something starts a server again and must be left alone.")]
#[command(after_help = "\
Examples:
  portalloc stop                                every server of this worktree
  portalloc stop web                            the one on the port of this name
  portalloc stop --dry-run                      what would be ended, and why
  portalloc stop --json | jq '.processes[].pid'

JSON: one object with
  isolation_id            the environment
  processes               pid, name, command, ports, reason (hold, variable,
                          descent, directory), why, supervisor, outcome
                          (would_end, ended, killed, gone, remains)
  foreign                 pid, name, command, ports, directory, why: left alone
  unknown                 port, user_id, why: cannot be inspected
  supervisors             pid, name, command, directory, ports: start a server
                          again, and were left alone
  removed                 whether `down` has removed the environment
")]
pub(crate) struct Stop {
    /// The ports or their names [default: all of them]
    #[arg(value_name = "PORT")]
    pub(crate) ports: Vec<String>,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) how: StopArgs,
}

// What `stop` and `down` share.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Show what would be ended, and end nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Kill what has not ended after this long, such as 500ms or 30s
    #[arg(short, long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "10s")]
    pub(crate) timeout: Duration,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(long_about = "\
As `portalloc stop`, and then as `portalloc cleanup`: ends the servers of this worktree's environment, gives its ports \
back, and removes its temp directory. It refuses with status 5, before it ends anything, while a command of `portalloc \
exec` runs that is no server of the environment, and names it. It leaves the environment if anything is left on its ports.")]
#[command(after_help = "\
Examples:
  portalloc down                                the end of work in this worktree
  portalloc down --dry-run                      what would be ended, and why
  git worktree remove \"$PWD\"                   after that
")]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) how: StopArgs,
}

#[derive(Debug, Args)]
#[command(long_about = "\
It disturbs nothing: it neither locks nor probes a port. Only root sees the processes of other users.")]
#[command(group = ArgGroup::new("whose").required(true).args(["ports", "id"]))]
#[command(after_help = "\
Examples:
  portalloc who 8080
  portalloc who 5432 6379 --json | jq '.ports[].sockets[].processes[].pid'
  portalloc who 20010-20014
  portalloc who --id 3f9a0c71d2e4               the ports of an environment

JSON: one object with the array \"ports\", each with
  port, in_use, message   the port, whether a socket is bound to it, a
                          sentence
  lease                   null, or lifetime (held, kept), holder {pid, name},
                          since, isolation_id, worktree_path, instance_id
  sockets                 protocol, local, remote, state, user_id, processes,
                          hidden (null, or the reason why no process is
                          shown: other_user, elsewhere)
  sockets[].processes     pid, name, command, user_id, user, started_at
  complete                false if the kernel does not show sockets that are
                          bound but do not listen (before Linux 6.8)
")]
pub(crate) struct Who {
    /// The ports, such as 8080 or 9000-9003
    #[arg(value_name = "PORT")]
    pub(crate) ports: Vec<String>,

    /// All ports of the environment with this ID
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(long_about = "\
Prints one line for each thing that could be otherwise: ok, note (every promise is kept, but you should know this), \
BROKEN (a promise is not kept here) or skipped (because of another line that is broken). The whole output, pasted into \
a bug report, says what its reader needs to know; it has no names of hosts.

It changes nothing, except that it creates a missing registry as every other command does. To find full disks, it \
writes and removes a small file in the registry and in the temp directory. The exit status is 1 if a line is BROKEN, \
or if the lease of --explain would be refused.")]
#[command(after_help = "\
Examples:
  portalloc doctor
  portalloc doctor --explain 50                 would a lease of 50 ports be granted now, and why not
  portalloc doctor --json | jq '.checks[] | select(.status != \"ok\")'

JSON: one object with
  ok                      whether no check is broken
  checks                  code, status (ok, note, broken, skipped), message,
                          remedy (null, or what to do), facts (texts by name)
  explanation             null without --explain; else count, granted, message,
                          remedy, census (counts by state), holders
  machine                 version, system, kernel, architecture, libc, user_id,
                          sandboxes, namespaces, variables
")]
pub(crate) struct Doctor {
    /// Also say whether a lease of N consecutive ports would be granted at this moment, and why not
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_count)]
    pub(crate) explain: Option<usize>,

    /// Write one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// The pool [default: $PORTALLOC_POOL, else that of portalloc.toml, else 20000-29999]
    #[arg(long, value_name = "PORTS")]
    pub(crate) pool: Option<String>,

    /// Ports to leave out of it [default: $PORTALLOC_EXCLUDE, else those of portalloc.toml]
    #[arg(long, value_name = "PORTS")]
    pub(crate) exclude: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Creates /run/portalloc with mode 1777, and /etc/tmpfiles.d/portalloc.conf, which makes systemd create the directory \
again at every boot and exempts /tmp/portalloc* from its cleanup. From then on /run/portalloc is the registry of \
every process on this machine for which PORTALLOC_DIR names no other; without it the registry is /tmp/portalloc. \
`setup` changes nothing while a lease or a kept environment has ports.

Examples:
  sudo portalloc setup
  sudo portalloc setup --remove
  sudo portalloc setup --remove --at-next-boot  processes keep their ports until then
")]
pub(crate) struct Setup {
    /// Undo the setup: the registry is /tmp/portalloc again
    #[arg(long)]
    pub(crate) remove: bool,

    /// Remove only what creates /run/portalloc at every boot, also while ports are leased or kept
    #[arg(long, requires = "remove")]
    pub(crate) at_next_boot: bool,
}

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

/// The core checks the number against the pool; this rejects only what is not a number.
fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| byte.is_ascii_digit()) => "ask for at least 1 port".to_owned(),
        _ => "not a number of ports".to_owned(),
    })
}

/// Seconds, or a time with its unit as in other options. A shorter interval would only burn CPU time.
fn parse_interval(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match seconds.or_else(|| humantime::parse_duration(text).ok()) {
        Some(interval) if interval >= Duration::from_millis(50) => Ok(interval),
        Some(_) => Err("the shortest interval is 0.05 seconds".to_owned()),
        None => Err("not a number of seconds, such as 2 or 0.5".to_owned()),
    }
}
