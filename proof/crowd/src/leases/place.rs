//! Where a crowd meets: a place that every user can reach, and what is to lie on a disk.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc::Settings;
use tempfile::TempDir;

use crate::fault::{Doing, Fallible};

pub(super) struct Place {
    meeting: portalloc_testkit::Place,
    /// Of the meeting place; in memory, as that of a machine that was set up, if there is such a file system.
    memory: TempDir,
    disk: TempDir,
}

impl Place {
    /// The registry is made here, so that it is the first user's and shared by all.
    pub(super) fn new() -> Fallible<Self> {
        let shared = Path::new("/dev/shm");
        let base = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
        let made = |base: &Path| tempfile::Builder::new().prefix("portalloc-crowd-").tempdir_in(base);
        let (memory, disk) = (made(&base)?, made(&std::env::temp_dir())?);
        let meeting = portalloc_testkit::Place::at(memory.path());
        meeting.open_to_all();
        let place = Self { meeting, memory, disk };
        fs::copy(std::env::current_exe()?, place.program()).doing(|| "cannot copy the program".to_owned())?;
        for path in [place.disk.path(), &place.program()] {
            fs::set_permissions(path, Permissions::from_mode(0o755))?;
        }
        Settings::new().directory(place.meeting.registry()).open()?;
        Ok(place)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    /// A copy of this program, since the original may lie where only its owner can go.
    pub(super) fn program(&self) -> PathBuf {
        self.file("portalloc-crowd")
    }

    /// Makes `command` meet the others here.
    pub(super) fn prepare<'a>(&self, command: &'a mut Command, pool: &str) -> &'a mut Command {
        self.meeting.prepare(command, pool)
    }

    /// The registry as it is, for whoever looks for the reason of a fault.
    pub(super) fn keep(self) -> PathBuf {
        let _ = self.memory.keep();
        self.meeting.registry()
    }
}
