//! Where a crowd meets: a registry and a folder of its own, which every user can reach.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc::Settings;
use tempfile::TempDir;

use crate::fault::{Doing, Fallible};

pub(super) struct Place {
    /// In memory, as that of a machine that was set up, if there is such a file system.
    registry: TempDir,
    folder: TempDir,
}

impl Place {
    /// The registry is made here, so that it is the first user's and shared by all.
    pub(super) fn new() -> Fallible<Self> {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let made = |base: &Path| tempfile::Builder::new().prefix("portalloc-crowd-").tempdir_in(base);
        let place = Self { registry: made(&base)?, folder: made(&std::env::temp_dir())? };
        for folder in [place.registry.path(), place.folder.path()] {
            fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        }
        for folder in ["work", "temp"] {
            fs::create_dir(place.file(folder))?;
            fs::set_permissions(place.file(folder), Permissions::from_mode(0o1777))?;
        }
        fs::copy(std::env::current_exe()?, place.program()).doing(|| "cannot copy the program".to_owned())?;
        fs::set_permissions(place.program(), Permissions::from_mode(0o755))?;
        Settings::new().directory(place.directory()).open()?;
        Ok(place)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A copy of this program, since the original may lie where only its owner can go.
    pub(super) fn program(&self) -> PathBuf {
        self.file("portalloc-crowd")
    }

    fn directory(&self) -> PathBuf {
        self.registry.path().join("registry")
    }

    /// Makes `command` meet the others here.
    pub(super) fn prepare<'a>(&self, command: &'a mut Command, pool: &str) -> &'a mut Command {
        command
            .env("PORTALLOC_DIR", self.directory())
            .env("PORTALLOC_POOL", pool)
            .env("PORTALLOC_EXCLUDE", "")
            .env("TMPDIR", self.file("temp"))
            .current_dir(self.file("work"))
    }

    /// The registry as it is, for whoever looks for the reason of a fault.
    pub(super) fn keep(self) -> PathBuf {
        let directory = self.directory();
        let _ = self.registry.keep();
        directory
    }
}
