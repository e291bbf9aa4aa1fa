//! What else goes wrong in a storm, besides the kills: what it does, which errors workers may then meet, and which
//! promises it takes away.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process::Command;

use clap::ValueEnum;
use portalloc_testkit::Random;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use crate::failure::{Context, Outcome};
use crate::ground::Ground;
use crate::judge::Judge;
use crate::language::Language;
use crate::victim::Victim;

/// What else goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The file system of registry, temp directory and worktree is full again and again.
    FullDisk,
    /// Workers may open only a few descriptors, more or fewer from one moment to the next.
    Descriptors,
    /// The registry's directory is removed.
    RemovedRegistry,
    /// The ports file is cut off or blown up.
    TruncatedPorts,
    /// The time of day that workers see jumps back and forth.
    ClockSteps,
}

/// The small file system's size.
const SMALL: u64 = 1 << 20;

/// Steps of the clock are multiples of this many seconds, so that a TTL of milliseconds is over or far from it.
const STEP_S: i64 = 300;
/// So many of them at most, to either side.
const STEPS: usize = 5;

impl Fault {
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The size of the file system, if it is to be a small one.
    pub(crate) fn file_system(self) -> Option<u64> {
        (self == Self::FullDisk).then_some(SMALL)
    }

    /// The codes of errors that workers may meet; any other ends the storm. `in_use`: on a machine so busy that somebody does
    /// not finish a look at a port in five seconds, others give up; what they wanted to clean up is looked for in the end.
    pub(crate) fn tolerated(self) -> &'static str {
        match self {
            Self::None | Self::ClockSteps => "in_use",
            Self::FullDisk | Self::Descriptors => "in_use io registry_unusable",
            Self::RemovedRegistry | Self::TruncatedPorts => "in_use registry_unusable",
        }
    }

    /// With which error a server may fail to bind a port that its worker has, or 0. Then the worker has one server less.
    pub(crate) fn bind_errno(self) -> i32 {
        match self {
            Self::Descriptors => nix::libc::EMFILE,
            // Somebody who knows nothing of a lease from before may have bound its port first.
            Self::RemovedRegistry => nix::libc::EADDRINUSE,
            Self::None | Self::FullDisk | Self::TruncatedPorts | Self::ClockSteps => 0,
        }
    }

    /// The languages whose own runtime endures it.
    pub(crate) fn endures(self, language: Language) -> bool {
        match self {
            // Node ends itself when it finds no descriptor for its event loop; a shell could not write the journal.
            Self::Descriptors => !matches!(language, Language::Node | Language::Shell),
            _ => true,
        }
    }

    /// Whether, until the next verification, nothing is protected any more once the fault has struck.
    pub(crate) fn ends_protection(self) -> bool {
        self == Self::RemovedRegistry
    }

    /// Whether what is kept is protected by nothing for a moment: labels that are lost are looked for every 10 ms.
    pub(crate) fn loses_labels(self) -> bool {
        self == Self::TruncatedPorts
    }

    /// Whether a TTL that was over for a worker may not be over for others.
    pub(crate) fn shifts_time(self) -> bool {
        self == Self::ClockSteps
    }

    /// Prepares what workers need to meet it.
    pub(crate) fn prepare(self, command: &mut Command, ground: &Ground) -> Outcome<()> {
        if self == Self::ClockSteps {
            let clock = std::env::var_os("STORM_CLOCK").context("STORM_CLOCK is not set: make storm")?;
            if !ground.offset().exists() {
                set_offset(ground, 0)?;
            }
            command.env("LD_PRELOAD", clock).env("STORM_OFFSET", ground.offset());
        }
        Ok(())
    }

    /// Strikes. Called after every kill.
    pub(crate) fn strike(
        self,
        ground: &Ground,
        judge: &mut Judge,
        victims: &[Victim],
        random: &mut Random,
    ) -> Outcome<bool> {
        match self {
            Self::None => Ok(false),
            Self::FullDisk => match random.below(10) {
                0 => fill(ground).map(|()| true),
                1..=4 => free(ground).map(|()| false),
                _ => Ok(false),
            },
            Self::Descriptors => limit(victims, random),
            Self::RemovedRegistry if random.below(15) == 0 => {
                judge.ignores_all = true;
                judge.forget_kept();
                remove(ground).map(|()| true)
            }
            Self::TruncatedPorts if random.below(10) == 0 => {
                judge.ignores_labelled = true;
                resize(ground, random)
            }
            Self::ClockSteps if random.below(10) == 0 => {
                let steps = i64::try_from(random.below(2 * STEPS + 1)).context("a step")?;
                set_offset(ground, (steps - STEPS as i64) * STEP_S).map(|()| true)
            }
            Self::RemovedRegistry | Self::TruncatedPorts | Self::ClockSteps => Ok(false),
        }
    }

    /// Everybody is gone: undoes what can be undone.
    pub(crate) fn end(self, ground: &Ground, judge: &mut Judge) -> Outcome<()> {
        judge.ignores_all = false;
        judge.ignores_labelled = false;
        match self {
            Self::FullDisk => free(ground),
            _ => Ok(()),
        }
    }
}

/// Fills the file system up to the last byte.
fn fill(ground: &Ground) -> Outcome<()> {
    let mut filler =
        OpenOptions::new().append(true).create(true).open(ground.stage().path().join("filler")).context("filler")?;
    while filler.write_all(&[1; 4096]).is_ok() {}
    Ok(())
}

fn free(ground: &Ground) -> Outcome<()> {
    File::create(ground.stage().path().join("filler")).map(drop).context("the filler")
}

/// Gives a worker another limit, which may be below what it has open.
fn limit(victims: &[Victim], random: &mut Random) -> Outcome<bool> {
    let Some(victim) = victims.get(random.below(victims.len())) else { return Ok(false) };
    // What a runtime cannot do without.
    let least = match victim.language {
        Language::Go => 12,
        _ => 3,
    };
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: Some(least + random.below(40) as u64), maximum };
    prlimit(Some(victim.pid), Resource::Nofile, limit).context("a limit")?;
    Ok(true)
}

/// Steps the workers' clock to so many seconds from the real one: see `clock.c`.
fn set_offset(ground: &Ground, seconds: i64) -> Outcome<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(ground.offset());
    file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 0)).context("the offset of the clock")
}

/// Moves the registry away, and removes it then: so it is gone at one instant.
fn remove(ground: &Ground) -> Outcome<()> {
    let away = tempfile::tempdir_in(ground.scratch()).context("a directory")?;
    // On another file system it could not be moved.
    match fs::rename(ground.stage().registry(), away.path().join("registry")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("the registry"),
        _ => Ok(()),
    }
}

fn resize(ground: &Ground, random: &mut Random) -> Outcome<bool> {
    let Ok(file) = OpenOptions::new().write(true).open(ground.stage().namespace().join("ports")) else {
        return Ok(false);
    };
    let size = match random.below(3) {
        0 => 0,
        1 => random.below(4 << 20),
        _ => (4 << 20) + random.below(1 << 20),
    };
    file.set_len(size as u64).context("the ports file")?;
    Ok(true)
}
