//! An isolated world for each test: a place, and ports that no other test has.

use std::ffi::OsStr;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;

use portalloc::{Allocator, Settings};

use crate::turn::Turn;
use crate::{Place, Slice};

/// A place with a pool.
#[derive(Debug)]
pub struct World {
    place: Place,
    slice: Slice,
    /// Dropped last.
    _turn: Turn,
}

impl World {
    /// A world with a pool of `count` ports.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self::taking(Turn::with_others(), count)
    }

    /// As [`new`](Self::new), for a test that leases in its own process, or that closes sockets there while it starts
    /// programs: no other test of this process has a world meanwhile.
    #[must_use]
    pub fn alone(count: usize) -> Self {
        Self::taking(Turn::alone(), count)
    }

    fn taking(turn: Turn, count: usize) -> Self {
        Self { slice: Slice::new(count), place: Place::new(), _turn: turn }
    }

    /// Adds a directory in which commands look for programs first.
    #[must_use]
    pub fn with_programs(self, directory: impl Into<PathBuf>) -> Self {
        Self { place: self.place.with_programs(directory), ..self }
    }

    /// The first port of the pool.
    #[must_use]
    pub fn base(&self) -> u16 {
        self.slice.base()
    }

    /// The ports of the pool.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        self.slice.ports()
    }

    /// The value of `PORTALLOC_POOL`.
    #[must_use]
    pub fn pool(&self) -> &str {
        self.slice.pool()
    }

    /// The settings for an allocator in this process.
    pub fn settings(&self) -> Settings {
        Settings::new().directory(self.registry()).pool(self.pool()).exclude("")
    }

    /// An allocator in this process. It does not use the `TMPDIR` of this world, so create environments with a temp
    /// directory in other processes.
    #[must_use]
    pub fn allocator(&self) -> Allocator {
        self.settings().open().expect("the registry opens")
    }

    /// A command for any program, in this world.
    #[must_use]
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        self.place.prepare(&mut command, self.pool());
        command
    }
}

impl Deref for World {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}
