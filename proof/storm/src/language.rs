//! The languages of the workers: what their programs are, and how a new worker comes to be.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

use crate::arguments::NURSERY;
use crate::failure::{Context, Outcome};
use crate::ground::Ground;

/// A language in which workers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Language {
    Rust,
    C,
    Go,
    Python,
    Node,
    Shell,
}

/// How a new worker comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birth {
    /// Forked by a process that has everything loaded already.
    Nursery,
    /// Started anew.
    Start,
}

impl Language {
    pub(crate) const ALL: [Self; 6] = [Self::Rust, Self::C, Self::Go, Self::Python, Self::Node, Self::Shell];

    /// Its name in tables and serial numbers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Go => "go",
            Self::Python => "python",
            Self::Node => "node",
            Self::Shell => "shell",
        }
    }

    /// Of a hundred workers that are started, so many are of this language. What starts slowly is rare.
    pub(crate) const fn share(self) -> usize {
        match self {
            Self::Rust => 32,
            Self::C => 26,
            Self::Go => 12,
            Self::Python => 20,
            Self::Node => 3,
            Self::Shell => 7,
        }
    }

    pub(crate) const fn birth(self) -> Birth {
        match self {
            Self::Rust | Self::C | Self::Python => Birth::Nursery,
            Self::Go | Self::Node | Self::Shell => Birth::Start,
        }
    }

    /// Whether its workers let forked children, or commands that they run, outlive them.
    pub(crate) const fn has_children(self) -> bool {
        matches!(self, Self::Rust | Self::C | Self::Python | Self::Shell)
    }

    /// The variable that names what its workers need.
    const fn variable(self) -> Option<&'static str> {
        match self {
            Self::Rust | Self::Shell => None,
            Self::C => Some("STORM_C"),
            Self::Go => Some("STORM_GO"),
            Self::Python => Some("STORM_PYTHON"),
            Self::Node => Some("STORM_NODE"),
        }
    }

    fn needed(self) -> Option<PathBuf> {
        self.variable().and_then(std::env::var_os).map(PathBuf::from)
    }

    /// Whether everything that its workers need is there.
    pub(crate) fn is_available(self) -> bool {
        self.variable().is_none() || self.needed().is_some()
    }

    /// What it says of its own version, where it can be asked.
    pub(crate) fn version(self) -> Option<String> {
        let (program, argument) = match self {
            Self::Python => (self.needed()?, "--version"),
            Self::Node => (PathBuf::from("node"), "--version"),
            Self::Go => (PathBuf::from("go"), "version"),
            Self::Rust | Self::C | Self::Shell => return None,
        };
        let output = Command::new(program).arg(argument).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The program of its workers or, if that is how they come to be, of their nursery.
    pub(crate) fn command(self, ground: &Ground) -> Outcome<Command> {
        let needed =
            || self.needed().context(format!("{} is not set: make storm", self.variable().unwrap_or_default()));
        let script = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("workers").join(name);
        let program = match self {
            Self::Rust => ground.program().to_owned(),
            Self::Shell => PathBuf::from("sh"),
            Self::Node => PathBuf::from("node"),
            Self::C | Self::Go | Self::Python => needed()?,
        };
        let mut command = ground.command(&program);
        match self {
            Self::Rust => command.arg(NURSERY),
            Self::Python => command.arg(script("worker.py")),
            Self::Node => command.arg(script("worker.mjs")).env("PORTALLOC_NODE", needed()?),
            Self::Shell => command.arg(script("worker.sh")),
            Self::C | Self::Go => &mut command,
        };
        Ok(command)
    }
}
