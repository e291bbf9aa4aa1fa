//! Where a storm takes place: registry, temp directory and worktree of its own, and ports that nobody else has.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use portalloc::{Allocator, Settings};
use portalloc_testkit::{Place, Slice};
use tempfile::TempDir;

use crate::failure::{Context, Outcome};

/// Where a storm takes place.
#[derive(Debug)]
pub(crate) struct Ground {
    scratch: TempDir,
    program: PathBuf,
    /// What portalloc makes is in there.
    stage: Place,
    slice: Slice,
    /// Whether the stage is a file system of its own.
    is_mounted: bool,
}

/// Where nobody else is, the pool begins here: no port of a service that portalloc knows is among the next ones.
const FIRST: u16 = 20001;

impl Ground {
    /// With so many ports. `size`: on a file system of its own of so many bytes, which takes the rights to mount one.
    pub(crate) fn new(place: Option<&Path>, count: usize, size: Option<u64>) -> Outcome<Self> {
        let memory = Path::new("/dev/shm");
        let usual = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let scratch = tempfile::Builder::new().prefix("portalloc-storm-").tempdir_in(place.unwrap_or(&usual));
        let scratch = scratch.context("no directory for the storm")?;
        let slice = if own_network() {
            Slice::undisputed(FIRST, u16::try_from(count).context("too many ports")?)
        } else {
            Slice::new(count)
        };
        let program = std::env::current_exe().context("this program")?;
        let (stage, programs) = (scratch.path().join("stage"), scratch.path().join("bin"));
        for directory in [&stage, &programs] {
            fs::create_dir(directory).context(directory.display())?;
        }
        if let Some(size) = size {
            mount_small(&stage, size)?;
        }
        let cli = std::env::var_os("STORM_CLI").map_or_else(|| program.clone(), PathBuf::from);
        symlink(cli, programs.join("portalloc")).context("a link to the command line")?;
        let stage = Place::at(stage).with_programs(programs);
        Ok(Self { scratch, program, stage, slice, is_mounted: size.is_some() })
    }

    /// This program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The directory of everything.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.scratch().join("journal")
    }

    /// What workers say on standard error.
    pub(crate) fn words(&self) -> PathBuf {
        self.scratch().join("words")
    }

    /// How far the workers' clock is from the real one, where it is stepped.
    pub(crate) fn offset(&self) -> PathBuf {
        self.scratch().join("offset")
    }

    /// Where everything is that portalloc makes.
    pub(crate) fn stage(&self) -> &Place {
        &self.stage
    }

    pub(crate) fn ports(&self) -> &[u16] {
        self.slice.ports()
    }

    /// An allocator in this process. Environments are the workers', for the sake of `TMPDIR`.
    pub(crate) fn allocator(&self) -> portalloc::Result<Allocator> {
        Settings::new().directory(self.stage.registry()).pool(self.slice.pool()).exclude("").open()
    }

    /// Makes `program` run here.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        self.stage
            .prepare(&mut command, self.slice.pool())
            .env("STORM_JOURNAL", self.journal())
            .env("STORM_PID", std::process::id().to_string());
        command
    }

    /// Lets everything be, for whoever looks for the reason of a failure.
    pub(crate) fn keep(&mut self) {
        self.scratch.disable_cleanup(true);
        if self.is_mounted {
            // What is on a file system of this process's goes with it.
            let _ = Command::new("cp").arg("-a").args([self.stage.path(), &self.scratch().join("kept")]).status();
        }
    }
}

/// Nobody can remove the directory in which something is mounted.
impl Drop for Ground {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = umount2(self.stage.path(), MntFlags::MNT_DETACH);
        }
    }
}

/// Whether this process could be moved to a network namespace of its own, in which nobody else binds anything.
fn own_network() -> bool {
    let up = || Command::new("ip").args(["link", "set", "lo", "up"]).status().is_ok_and(|status| status.success());
    let tools = Command::new("ip").arg("-V").stdout(Stdio::null()).status().is_ok();
    tools && unshare(CloneFlags::CLONE_NEWNET).is_ok() && up()
}

/// A file system that is soon full, in a mount namespace of its own, so that it goes with this process.
fn mount_small(at: &Path, size: u64) -> Outcome<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).context("no mount namespace can be made here")?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).context("mounts cannot be made private")?;
    let options = format!("size={size},mode=755");
    mount(Some("storm"), at, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).context("a small file system")
}
