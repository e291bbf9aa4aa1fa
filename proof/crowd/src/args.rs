//! What can be asked for on the command line. Knows nothing of how it is done.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::thieves::Thief;

#[derive(Parser)]
#[command(name = "portalloc-crowd", about = "Shows that no two leases share a port, and who can steal a leased one")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Leases in masses, by processes of all languages and several users; a witness sees to it that none overlap
    Leases(Leases),
    /// The same crowd, which finds its ports as others do: shows that the witness sees overlaps where there are some
    Control(Control),
    /// Thieves of several kinds against leased ports, as a table
    Thieves(Thieves),
    #[command(hide = true)]
    Contend(Contend),
    #[command(hide = true)]
    Hold(Hold),
    #[command(hide = true)]
    Steal(Steal),
    /// The command line of portalloc
    #[command(hide = true, disable_help_flag = true)]
    Portalloc {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
}

#[derive(clap::Args)]
pub(crate) struct Leases {
    /// How many, in all phases together
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) total: u64,
    /// The wide pool; those of the other phases are its first ports
    #[arg(long, default_value = "20000-29999")]
    pub(crate) pool: String,
    /// Which languages take part
    #[arg(long, value_delimiter = ',', default_value = "rust,c,go,python,node,cli")]
    pub(crate) languages: Vec<Language>,
    /// The user IDs among which the processes are divided; others than the own one need root
    #[arg(long, value_delimiter = ',', default_value = "0,12345")]
    pub(crate) users: Vec<u32>,
    /// Processes of each language and user
    #[arg(long, default_value_t = 2)]
    pub(crate) processes: usize,
    /// Write the result to this file as well
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

#[derive(clap::Args)]
pub(crate) struct Control {
    /// How many times ports are taken, by each of the two ways
    #[arg(long, default_value_t = 50_000)]
    pub(crate) total: u64,
}

#[derive(clap::Args)]
pub(crate) struct Thieves {
    /// How often each thief tries
    #[arg(long, default_value_t = 10)]
    pub(crate) rounds: usize,
    /// Write the result to this file as well
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}

/// Whose contender it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Language {
    Rust,
    C,
    Go,
    Python,
    Node,
    /// `portalloc run`
    Cli,
}

/// How a contender finds its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// Leases, by the library
    Lease,
    /// `portalloc run`
    Run,
    /// Binds port 0, closes, and hopes
    BindZero,
    /// Tries ports of the pool until they can be bound, closes, and hopes
    Probe,
}

/// As `tests/languages/README.md` has it for every language.
#[derive(clap::Args)]
pub(crate) struct Contend {
    pub(crate) way: Way,
    pub(crate) journal: PathBuf,
    pub(crate) times: u64,
    pub(crate) count: usize,
    pub(crate) most: usize,
    /// 0: none
    pub(crate) every: u64,
    pub(crate) user: Option<u32>,
}

#[derive(clap::Args)]
pub(crate) struct Hold {
    pub(crate) journal: PathBuf,
    pub(crate) holder: u32,
    #[arg(long)]
    pub(crate) bind: bool,
    pub(crate) ports: Vec<u16>,
}

#[derive(clap::Args)]
pub(crate) struct Steal {
    pub(crate) thief: Thief,
    pub(crate) ports: Vec<u16>,
}
