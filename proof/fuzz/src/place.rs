//! A registry and directories of the fuzzer's own, kept from input to input: making them anew would cost more than all the
//! rest.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use portalloc::{Allocator, Settings};

/// The ports of every target that has some: few, so that they are soon exhausted.
pub const POOL: std::ops::RangeInclusive<u16> = 21380..=21395;

/// The directory of this process. `proof/fuzz/run` names one that it removes afterwards.
pub fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        let base = std::env::var_os("PORTALLOC_FUZZ_SCRATCH").map_or_else(std::env::temp_dir, PathBuf::from);
        let scratch = base.join(format!("portalloc-fuzz-{}", std::process::id()));
        fs::create_dir_all(&scratch).expect("the fuzzer needs a directory");
        scratch
    })
}

/// Opens the registry of this process, in which something may be wrong.
///
/// # Errors
/// As [`Settings::open`].
pub fn open() -> portalloc::Result<Allocator> {
    let pool = format!("{}-{}", POOL.start(), POOL.end());
    Settings::new().directory(scratch().join("registry")).pool(pool).exclude("").open()
}

/// Opens the registry of this process.
pub fn allocator() -> Allocator {
    open().expect("the registry of the fuzzer can be opened")
}

/// The paths in the registry that the fuzzer writes to.
pub struct Place {
    /// The directory of its network namespace.
    pub net: PathBuf,
    pub ports: PathBuf,
    pub envs: PathBuf,
    /// What stands in slot 0 of a file that portalloc has just made.
    pub header: [u8; 64],
}

impl Place {
    /// Of the registry of this process, which is made if need be.
    pub fn new() -> Self {
        drop(allocator());
        let entries = fs::read_dir(scratch().join("registry")).expect("it was just opened");
        let inode = fs::metadata("/proc/self/ns/net").expect("a network namespace").ino();
        let is_ours = |entry: &fs::DirEntry| entry.file_name().to_str() == Some(&format!("net-{inode}"));
        let net = entries.flatten().find(is_ours).expect("the directory of this network namespace").path();
        let mut header = [0; 64];
        let file = fs::File::open(net.join("ports")).expect("its ports file");
        file.read_exact_at(&mut header, 0).expect("the header of its ports file");
        Self { ports: net.join("ports"), envs: net.join("envs"), net, header }
    }

    /// Where the record of an environment stands.
    pub fn record(&self, id: &str) -> PathBuf {
        self.envs.join(format!("{id}.json"))
    }

    /// Where it stands while the environment is being made.
    pub fn making(&self, id: &str) -> PathBuf {
        self.envs.join(format!("{id}.making"))
    }

    /// Removes every record, finished or not.
    #[expect(clippy::disallowed_methods, reason = "files of the fuzzer's own, in its scratch directory")]
    pub fn clear_records(&self) {
        for entry in fs::read_dir(&self.envs).expect("the directory of records").flatten() {
            let path = entry.path();
            if path.ends_with(".keep") {
                continue;
            }
            if fs::remove_file(&path).is_err() {
                fs::remove_dir_all(&path).expect("a directory in the place of a record");
            }
        }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}
