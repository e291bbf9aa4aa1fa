//! What a storm can be told. Parses; does nothing.

use std::path::PathBuf;

use clap::Parser;

use crate::fault::Fault;
use crate::language::Language;

/// The part of the nursery of the workers in Rust.
pub(crate) const NURSERY: &str = "nursery";

/// Lets processes of all languages lease, keep, clean and run, kills them at random instants, and shows that nothing is
/// left that cleanup does not remove.
#[derive(Clone, Debug, Parser)]
#[command(name = "portalloc-storm")]
pub(crate) struct Arguments {
    /// How many processes to kill, in each scenario
    #[arg(long, default_value_t = 1000)]
    pub(crate) kills: u64,

    /// What the random decisions begin with [default: random]
    #[arg(long)]
    pub(crate) seed: Option<u64>,

    /// How many workers run at once
    #[arg(long, default_value_t = 12)]
    pub(crate) workers: usize,

    /// How many ports they contend for
    #[arg(long, default_value_t = 600)]
    pub(crate) ports: usize,

    /// After so many kills everything is verified
    #[arg(long, default_value_t = 2000)]
    pub(crate) epoch: u64,

    /// Languages of the workers [default: all whose programs the variables STORM_* name; see README.md]
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) only: Vec<Language>,

    /// What else goes wrong, one scenario after the other
    #[arg(long, value_enum, value_delimiter = ',', default_value = "none")]
    pub(crate) faults: Vec<Fault>,

    /// Where the storm's directory is made [default: /dev/shm, else the system's directory for temporary files]
    #[arg(long)]
    pub(crate) place: Option<PathBuf>,

    /// Write what was seen as JSON into this file, too
    #[arg(long)]
    pub(crate) json: Option<PathBuf>,
}
