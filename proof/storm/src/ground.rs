//! Where a storm takes place: registry, temp folder and work tree of its own, and ports that nobody else has.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use portalloc::{Allocator, Lease, LeaseRequest, Settings};
use tempfile::TempDir;

use crate::failure::{Context, Outcome};

/// Where a storm takes place.
#[derive(Debug)]
pub(crate) struct Ground {
    scratch: TempDir,
    program: PathBuf,
    first: u16,
    count: u16,
    /// Whether the stage is a file system of its own.
    is_mounted: bool,
    /// Keeps other tests of this machine away, where there is no network namespace of our own.
    _slice: Option<Lease>,
}

/// Where nobody else is, the pool begins here: no port of a service that portalloc knows is among the next ones.
const FIRST: u16 = 20001;
/// What portalloc makes: registry, temp folder, work tree.
const STAGE: &str = "stage";

impl Ground {
    /// With so many ports. `size`: on a file system of its own of so many bytes, which takes the rights to mount one.
    pub(crate) fn new(place: Option<&Path>, count: usize, size: Option<u64>) -> Outcome<Self> {
        let memory = Path::new("/dev/shm");
        let usual = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let scratch = tempfile::Builder::new().prefix("portalloc-storm-").tempdir_in(place.unwrap_or(&usual));
        let scratch = scratch.context("no folder for the storm")?;
        let count = u16::try_from(count).context("too many ports")?;
        let slice = if own_network() { None } else { Some(slice(count)?) };
        let first = slice.as_ref().map_or(FIRST, Lease::base_port);
        let program = std::env::current_exe().context("this program")?;
        let ground = Self { scratch, program, first, count, is_mounted: size.is_some(), _slice: slice };
        fs::create_dir(ground.stage()).context("the stage")?;
        if let Some(size) = size {
            mount_small(&ground.stage(), size)?;
        }
        for folder in [ground.temp(), ground.work(), ground.programs()] {
            fs::create_dir(&folder).context(folder.display())?;
        }
        let cli = std::env::var_os("STORM_CLI").map_or_else(|| ground.program().to_owned(), PathBuf::from);
        symlink(cli, ground.programs().join("portalloc")).context("a link to the command line")?;
        Ok(ground)
    }

    /// This program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The folder of everything.
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

    fn programs(&self) -> PathBuf {
        self.scratch().join("bin")
    }

    pub(crate) fn stage(&self) -> PathBuf {
        self.scratch().join(STAGE)
    }

    pub(crate) fn temp(&self) -> PathBuf {
        self.stage().join("temp")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.stage().join("work")
    }

    pub(crate) fn registry(&self) -> PathBuf {
        self.stage().join("registry")
    }

    /// The registry's part for this network namespace.
    pub(crate) fn namespace(&self) -> Outcome<PathBuf> {
        let inode = fs::metadata("/proc/self/ns/net").context("the network namespace")?.ino();
        Ok(self.registry().join(format!("net-{inode}")))
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.first..self.first + self.count
    }

    pub(crate) fn count(&self) -> usize {
        usize::from(self.count)
    }

    fn pool(&self) -> String {
        format!("{}-{}", self.first, self.first + self.count - 1)
    }

    /// An allocator in this process. Environments are the workers', for the sake of `TMPDIR`.
    pub(crate) fn allocator(&self) -> portalloc::Result<Allocator> {
        Settings::new().directory(self.registry()).pool(self.pool()).exclude("").open()
    }

    /// Makes `program` run here.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.programs()).chain(std::env::split_paths(&path));
        command
            .env("PORTALLOC_DIR", self.registry())
            .env("PORTALLOC_POOL", self.pool())
            .env("PORTALLOC_EXCLUDE", "")
            .env("TMPDIR", self.temp())
            .env("STORM_JOURNAL", self.journal())
            .env("STORM_PID", std::process::id().to_string())
            .env("PATH", std::env::join_paths(paths).unwrap_or(path))
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// The command line.
    pub(crate) fn portalloc(&self) -> Command {
        self.command(&self.programs().join("portalloc"))
    }

    /// Lets everything be, for whoever looks for the reason of a failure.
    pub(crate) fn keep(&mut self) {
        self.scratch.disable_cleanup(true);
        if self.is_mounted {
            // What is on a file system of this process's goes with it.
            let _ = Command::new("cp").arg("-a").args([self.stage(), self.scratch().join("kept")]).status();
        }
    }
}

/// Nobody can remove the folder in which something is mounted.
impl Drop for Ground {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = umount2(&self.stage(), MntFlags::MNT_DETACH);
        }
    }
}

/// Whether this process could be moved to a network namespace of its own, in which nobody else binds anything.
fn own_network() -> bool {
    let up = || Command::new("ip").args(["link", "set", "lo", "up"]).status().is_ok_and(|status| status.success());
    let tools = Command::new("ip").arg("-V").stdout(Stdio::null()).status().is_ok();
    tools && unshare(CloneFlags::CLONE_NEWNET).is_ok() && up()
}

/// Ports that no other test of portalloc on this machine uses.
fn slice(count: u16) -> Outcome<Lease> {
    let slices = Settings::new()
        .directory(std::env::temp_dir().join("portalloc-test-ports"))
        .pool("20001-29999")
        .exclude("")
        .open()?;
    Ok(slices.lease(LeaseRequest::run(usize::from(count)).wait(Duration::from_secs(120)))?)
}

/// A file system that is soon full, in a mount namespace of its own, so that it goes with this process.
fn mount_small(at: &Path, size: u64) -> Outcome<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).context("no mount namespace can be made here")?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).context("mounts cannot be made private")?;
    let options = format!("size={size},mode=755");
    mount(Some("storm"), at, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).context("a small file system")
}
