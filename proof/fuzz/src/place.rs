//! A registry and folders of the fuzzer's own, kept from input to input: making them anew would cost more than all the
//! rest.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use portalloc::{Allocator, Settings};

/// The ports of every target that has some: few, so that they are soon exhausted.
pub const POOL: std::ops::RangeInclusive<u16> = 21380..=21395;

/// The folder of this process. `proof/fuzz/run` names one that it removes afterwards.
pub fn scratch() -> &'static Path {
    static SCRATCH: OnceLock<PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        let base = std::env::var_os("PORTALLOC_FUZZ_SCRATCH").map_or_else(std::env::temp_dir, PathBuf::from);
        let scratch = base.join(format!("portalloc-fuzz-{}", std::process::id()));
        fs::create_dir_all(&scratch).expect("the fuzzer needs a folder");
        scratch
    })
}

/// Opens the registry of this process.
pub fn allocator() -> Allocator {
    let pool = format!("{}-{}", POOL.start(), POOL.end());
    let settings = Settings::new().directory(scratch().join("registry")).pool(pool).exclude("");
    settings.open().expect("the registry of the fuzzer can be opened")
}

/// The paths in the registry that the fuzzer writes to.
pub struct Place {
    /// The folder of its network namespace.
    pub net: PathBuf,
    pub ports: PathBuf,
    pub envs: PathBuf,
}

impl Place {
    /// Of the registry of this process, which is made if need be.
    pub fn new() -> Self {
        drop(allocator());
        let entries = fs::read_dir(scratch().join("registry")).expect("it was just opened");
        let net = entries.flatten().next().expect("the folder of this network namespace").path();
        Self { ports: net.join("ports"), envs: net.join("envs"), net }
    }

    /// Where the record of an environment stands.
    pub fn record(&self, id: &str) -> PathBuf {
        self.envs.join(format!("{id}.json"))
    }

    /// Removes every record.
    #[expect(clippy::disallowed_methods, reason = "files of the fuzzer's own, in its scratch folder")]
    pub fn clear_records(&self) {
        for entry in fs::read_dir(&self.envs).expect("the folder of records").flatten() {
            let path = entry.path();
            if fs::remove_file(&path).is_err() {
                fs::remove_dir_all(&path).expect("a folder in the place of a record");
            }
        }
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}
