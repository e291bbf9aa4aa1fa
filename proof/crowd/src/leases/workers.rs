//! Contenders as processes: how each language's is started, and how one is asked for more.

use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use portalloc_testkit::Process;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::place::Place;
use crate::args::{Language, Way};
use crate::fault::{Doing, Fallible};

/// What a contender is to do: see `tests/languages/README.md`.
#[derive(Clone, Debug)]
pub(super) struct Task<'a> {
    pub(super) journal: &'a Path,
    pub(super) pool: String,
    pub(super) times: u64,
    pub(super) count: usize,
    pub(super) most: usize,
    pub(super) every: u64,
}

/// A contender that waits to be asked.
pub(super) struct Worker {
    pub(super) name: String,
    child: Process,
    stdout: BufReader<ChildStdout>,
}

impl Worker {
    pub(super) fn start(place: &Place, way: Way, language: Language, user: Option<u32>, task: &Task) -> Fallible<Self> {
        let mut command = program(place, way, language)?;
        command
            .arg(task.journal)
            .args(
                [task.times, u64::try_from(task.count)?, u64::try_from(task.most)?, task.every].map(|n| n.to_string()),
            )
            .args(user.map(|user| user.to_string()));
        place.prepare(&mut command, &task.pool).stdin(Stdio::piped()).stdout(Stdio::piped());
        let name = format!("{language:?}");
        let mut child = Process::start(&mut command).doing(|| format!("{name} does not start"))?;
        let stdout = child.stdout.take().ok_or("a contender without output")?;
        Ok(Self { name, child, stdout: BufReader::new(stdout) })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// By which it can be ended from another thread, and nobody else in its place.
    pub(super) fn process(&self) -> Fallible<OwnedFd> {
        let pid = Pid::from_raw(i32::try_from(self.id())?).ok_or("a process without an ID")?;
        Ok(pidfd_open(pid, PidfdFlags::empty())?)
    }

    /// Has it contend once more, and waits until it is done: how often it was served, and refused.
    pub(super) fn again(&mut self) -> Fallible<(u64, u64)> {
        let stdin = self.child.stdin.as_mut().ok_or("a contender without input")?;
        // If it has ended, its status says more than a broken pipe.
        let _ = stdin.write_all(b"\n");
        let mut answer = String::new();
        self.stdout.read_line(&mut answer)?;
        let numbers: Option<Vec<u64>> = answer.split_whitespace().map(|word| word.parse().ok()).collect();
        match numbers.as_deref() {
            Some([served, refused]) => Ok((*served, *refused)),
            _ => {
                let status = self.end()?;
                Err(format!("{} said {answer:?} and ended with {status}", self.name).into())
            }
        }
    }

    /// Lets it end.
    pub(super) fn finish(mut self) -> Fallible<()> {
        let status = self.end()?;
        if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", self.name).into()) }
    }

    fn end(&mut self) -> Fallible<std::process::ExitStatus> {
        drop(self.child.stdin.take());
        Ok(self.child.wait()?)
    }
}

fn program(place: &Place, way: Way, language: Language) -> Fallible<Command> {
    let script = |program: PathBuf, name: &str| {
        let mut command = Command::new(program);
        command.arg(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/languages")).join(name));
        command
    };
    let own = |word: &str| {
        let mut command = Command::new(place.program());
        command.args(["contend", word]);
        command
    };
    Ok(match (way, language) {
        (Way::BindZero, _) => own("bind-zero"),
        (Way::Probe, _) => own("probe"),
        (_, Language::Rust) => own("lease"),
        (_, Language::Cli) => own("run"),
        (_, Language::C) => Command::new(named("PORTALLOC_C_CONTENDER")?),
        (_, Language::Go) => Command::new(named("PORTALLOC_GO_CONTENDER")?),
        (_, Language::Python) => script(named("PORTALLOC_PYTHON")?, "contend.py"),
        // Read by the script.
        (_, Language::Node) => named("PORTALLOC_NODE").map(|_| script("node".into(), "contend.mjs"))?,
    })
}

fn named(variable: &str) -> Fallible<PathBuf> {
    let value = std::env::var_os(variable);
    value.map(PathBuf::from).ok_or_else(|| format!("{variable} is not set: `make crowd` sets it").into())
}
