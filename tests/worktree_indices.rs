//! The notes that say which environment is a worktree's: what a sweep removes of them, and what an interrupted repair leaves.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a helper of tests: a failure is a failed test; a kill at the wrong moment is played by hand"
)]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_UNLCK, F_WRLCK, SEEK_SET, flock};
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::{Allocator, Environment, EnvironmentRequest};
use portalloc_testkit::World;

struct Place {
    world: World,
    allocator: Allocator,
    indices: PathBuf,
}

impl Place {
    fn new() -> Self {
        let world = World::alone(6);
        let (allocator, indices) = (world.allocator(), world.namespace().join("by-worktree"));
        Self { world, allocator, indices }
    }

    fn request(&self) -> EnvironmentRequest {
        EnvironmentRequest::new().names(["web"]).worktree(self.world.work())
    }

    fn make(&self) -> Environment {
        self.allocator.worktree_environment(&self.request()).unwrap()
    }

    fn index(&self) -> PathBuf {
        let names = portalloc_testkit::names(&self.indices);
        assert_eq!(names.len(), 1, "{names:?}");
        self.indices.join(names.first().unwrap())
    }

    /// The indices that a cleanup sweeps.
    fn sweep(&self) -> Vec<PathBuf> {
        let swept = self.allocator.cleanup(&Cleanup::new(Selection::Stale)).unwrap().swept;
        swept.into_iter().filter(|path| path.starts_with(&self.indices)).collect()
    }
}

fn age(path: &Path) {
    File::open(path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
}

/// Locks a worktree as whoever makes its environment does, on a description of its own; or unlocks it.
fn lock(file: &File, index: &Path, kind: i32) {
    let hash = u64::from_str_radix(index.file_name().unwrap().to_str().unwrap(), 16).unwrap();
    let l_start = i64::try_from((1 << 42) + hash % (1 << 42)).unwrap();
    let lock = flock {
        l_type: i16::try_from(kind).unwrap(),
        l_whence: i16::try_from(SEEK_SET).unwrap(),
        l_start,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).unwrap();
}

#[test]
fn only_what_names_no_environment_is_swept() {
    let place = Place::new();
    let id = place.make().id();
    let index = place.index();
    age(&index);
    assert!(place.sweep().is_empty());
    assert_eq!(place.make().id(), id);

    // As after a kill at the end of a removal.
    let text = fs::read(&index).unwrap();
    fs::remove_file(place.world.record(&id.to_string())).unwrap();
    fs::write(&index, &text).unwrap();
    assert!(place.sweep().is_empty(), "it was written just now");
    age(&index);
    let ports = File::options().write(true).read(true).open(place.world.ports_file()).unwrap();
    lock(&ports, &index, F_WRLCK);
    assert!(place.sweep().is_empty(), "somebody is making an environment");
    lock(&ports, &index, F_UNLCK);
    assert_eq!(place.sweep(), [index]);
    assert_ne!(place.make().id(), id);
}

#[test]
fn nonsense_is_swept_and_what_is_no_index_stays() {
    let place = Place::new();
    let id = place.make().id();
    let (nonsense, notes) = (place.indices.join("0123456789abcdef"), place.indices.join("notes"));
    fs::write(&nonsense, "nonsense").unwrap();
    fs::write(&notes, "notes").unwrap();
    for path in [&nonsense, &notes] {
        age(path);
    }
    assert_eq!(place.sweep(), [nonsense]);
    assert!(notes.exists());
    assert_eq!(place.make().id(), id);
}

#[test]
fn the_end_of_what_a_repair_did_not_finish_leaves_the_environment_before() {
    let place = Place::new();
    let old = place.make();
    let index = place.index();
    let block = place.world.work().join(".env");
    old.write_block(&block).unwrap();
    // A repair that was killed when the new one was finished, and ere the old one was removed.
    let before = fs::read_to_string(&index).unwrap();
    let request = EnvironmentRequest::new().kept().ports(2).worktree(place.world.work());
    let new = place.allocator.create_environment(&request).unwrap();
    let (_, blocks) = before.split_once('\n').unwrap();
    fs::write(&index, format!("{}\nbefore {}\n{blocks}", new.id(), old.id())).unwrap();
    let found = || place.allocator.find_worktree_environment(&place.request()).unwrap().map(|found| found.id());
    assert_eq!(found(), Some(new.id()));
    new.cleanup().unwrap();
    assert_eq!(found(), Some(old.id()));
    assert_eq!(place.make().id(), old.id());
    assert!(fs::read_to_string(&block).unwrap().contains(&old.id().to_string()));
    // The last one takes the index and the block with it.
    let id = old.id();
    old.cleanup().unwrap();
    assert!(!block.exists() && !index.exists(), "{id}");
}
