//! A registry that somebody damaged, replaced or made useless. Either a clear error with a stable code, or a healed
//! registry in which kept environments and held leases still exclude everybody else; never silence.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a helper of tests: a failure is a failed test"
)]

use std::fs::{self, File, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use portalloc::{Allocator, LeaseRequest};
use portalloc_tests::{Actor, Stage};
use serde_json::{Value, json};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// The registry's directories, from the outermost.
fn directories(world: &Stage) -> [PathBuf; 3] {
    [world.registry(), world.namespace(), world.namespace().join("envs")]
}

/// Opening fails with `registry_unusable`, and the message has the path in it.
fn is_unusable(world: &Stage, path: &Path, what: &str) {
    let error = world.settings().open().unwrap_err();
    assert_eq!(error.code().as_str(), "registry_unusable", "{what} {}: {error}", path.display());
    assert!(error.message().contains(path.to_str().unwrap()), "{what}: {error}");
    assert!(!error.remedy().is_empty());
}

#[test]
fn a_directory_that_is_not_trustworthy_is_refused() {
    let world = Stage::alone(ACTOR, 5);
    let away = world.path().join("away");
    for index in 0..3 {
        for directory in directories(&world) {
            fs::create_dir_all(&directory).unwrap();
        }
        let path = &directories(&world)[index];
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
        is_unusable(&world, path, "world-writable");
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        fs::rename(path, &away).unwrap();
        symlink(&away, path).unwrap();
        is_unusable(&world, path, "a link");
        fs::remove_file(path).unwrap();
        fs::write(path, "").unwrap();
        is_unusable(&world, path, "a file");
        fs::remove_file(path).unwrap();
        fs::rename(&away, path).unwrap();
        assert!(world.allocator().lease(5).is_ok());
    }
}

#[test]
fn a_directory_of_another_user_is_refused_unless_it_is_shared() {
    if !rustix::process::geteuid().is_root() {
        assert!(std::env::var_os("CI").is_none(), "CI must run this test as root");
        eprintln!("SKIPPED: only root can give files away");
        return;
    }
    let world = Stage::alone(ACTOR, 5);
    drop(world.allocator());
    for path in directories(&world) {
        std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        is_unusable(&world, &path, "another user's");
        fs::set_permissions(&path, Permissions::from_mode(0o1777)).unwrap();
        assert!(world.allocator().lease(5).is_ok(), "sticky, so its owner cannot do more than anybody");
    }
}

#[test]
fn a_ports_file_that_is_none_is_refused() {
    type Put = fn(&Path);
    let kinds: [(&str, Put); 4] = [
        ("a directory", |path| fs::create_dir(path).unwrap()),
        ("a link", |path| symlink(path.with_file_name("kept-away"), path).unwrap()),
        ("a link to nothing", |path| symlink("/nowhere", path).unwrap()),
        ("a pipe", |path| {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }),
    ];
    for (kind, put) in kinds {
        let world = Stage::alone(ACTOR, 5);
        let opened_before = world.allocator();
        fs::rename(world.ports_file(), world.ports_file().with_file_name("kept-away")).unwrap();
        put(&world.ports_file());
        is_unusable(&world, &world.ports_file(), kind);
        let error = opened_before.lease(1).unwrap_err();
        assert_eq!(error.code().as_str(), "registry_unusable", "{kind}: {error}");
    }
}

/// A kept environment, a held lease, and an allocator from before the damage.
struct Populated {
    world: Stage,
    before: Allocator,
    holder: Actor,
    kept: Value,
    held: Vec<u16>,
}

impl Populated {
    fn new() -> Self {
        let world = Stage::alone(ACTOR, 20);
        let before = world.allocator();
        let mut holder = world.actor();
        let kept = holder.ok("kept ports 5");
        let held = holder.lease("lease 5");
        Self { world, before, holder, kept, held }
    }

    fn kept_ports(&self) -> Vec<u16> {
        let ports = self.kept["ports"].as_array().unwrap();
        ports.iter().map(|port| u16::try_from(port.as_u64().unwrap()).unwrap()).collect()
    }

    /// Whatever was damaged, nobody is given what others have, and all the rest can be had.
    fn still_exclude_others(&mut self, damage: &str) {
        let id = self.kept["id"].as_str().unwrap();
        let after = self.world.allocator();
        for (allocator, whose) in [(&after, "opened after"), (&self.before, "opened before")] {
            for port in self.kept_ports().iter().chain(&self.held) {
                let error = allocator.lease(LeaseRequest::exact([*port])).unwrap_err();
                assert_eq!(error.code().as_str(), "port_in_use", "{damage}, {whose}: {error}");
            }
            let rest = [allocator.lease(1).unwrap(), allocator.lease(1).unwrap()];
            for lease in &rest {
                assert!(!self.kept_ports().contains(&lease.base_port()), "{damage}, {whose}");
                assert!(!self.held.contains(&lease.base_port()), "{damage}, {whose}");
            }
            drop(rest);
            let singles: Vec<_> = std::iter::from_fn(|| allocator.lease(1).ok()).collect();
            assert_eq!(singles.len(), 10, "{damage}, {whose}");
        }
        assert_eq!(self.holder.ok(&format!("validate {id}"))["valid"], true, "{damage}");
        self.holder.ok("reconcile");
        self.holder.ok("list");
        assert_eq!(self.holder.ok("reconcile"), json!([]), "{damage}");
        self.holder.ok("release 0");
        self.holder.ok(&format!("cleanup {id}"));
        assert_eq!(after.census().unwrap().free, 20, "{damage}");
    }
}

#[test]
fn a_damaged_ports_file_heals() {
    type Damage = fn(&File, u64);
    let kinds: [(&str, Damage); 6] = [
        ("truncated to nothing", |file, _| file.set_len(0).unwrap()),
        ("cut in half", |file, size| file.set_len(size / 2).unwrap()),
        ("cut inside a slot", |file, size| file.set_len(size / 3 + 1).unwrap()),
        ("too large", |file, size| file.set_len(size * 3).unwrap()),
        ("random bytes", |file, size| overwrite(file, size, "/dev/urandom")),
        ("random bytes, cut", |file, size| {
            overwrite(file, size, "/dev/urandom");
            file.set_len(size - 64).unwrap();
        }),
    ];
    for (damage, damaged) in kinds {
        let mut populated = Populated::new();
        let file = File::options().write(true).open(populated.world.ports_file()).unwrap();
        damaged(&file, file.metadata().unwrap().len());
        populated.still_exclude_others(damage);
        let size = fs::metadata(populated.world.ports_file()).unwrap().len();
        assert_eq!(size, 65536 * 64, "{damage}");
    }
}

/// All behind the header: without that the file is refused.
fn overwrite(file: &File, size: u64, source: &str) {
    let mut bytes = Vec::new();
    File::open(source).unwrap().take(size - 64).read_to_end(&mut bytes).unwrap();
    std::os::unix::fs::FileExt::write_all_at(file, &bytes, 64).unwrap();
}

#[test]
fn labels_copied_to_other_ports_heal() {
    let populated = Populated::new();
    let bytes = fs::read(populated.world.ports_file()).unwrap();
    let file = File::options().write(true).open(populated.world.ports_file()).unwrap();
    let kept = usize::from(populated.kept_ports()[0]) * 64;
    // Every port of the pool seems to be kept by the one environment.
    for port in populated.world.ports().iter().filter(|port| !populated.held.contains(port)) {
        std::os::unix::fs::FileExt::write_all_at(&file, &bytes[kept..kept + 64], u64::from(*port) * 64).unwrap();
    }
    let allocator = populated.world.allocator();
    for port in populated.kept_ports().iter().chain(&populated.held) {
        assert!(allocator.lease(LeaseRequest::exact([*port])).is_err());
    }
    world_is_free_after_cleanup(populated);
}

fn world_is_free_after_cleanup(mut populated: Populated) {
    populated.holder.ok("reconcile");
    populated.holder.ok("release 0");
    populated.holder.ok("cleanup all");
    populated.holder.ok("cleanup stale");
    populated.holder.ok("reconcile");
    let census = populated.world.allocator().census().unwrap();
    assert_eq!(census.free + census.stale, 20, "{census}");
}

#[test]
fn a_ports_file_that_was_removed_is_noticed() {
    let mut populated = Populated::new();
    fs::remove_file(populated.world.ports_file()).unwrap();
    // Whoever has a lease of the old one is told.
    populated.holder.fails("lease 1", "registry_unusable");
    populated.holder.fails("kept", "registry_unusable");
    // Whoever has none opens a new one in the same call, and the kept environments are in it again.
    let (before, after) = (&populated.before, populated.world.allocator());
    for port in populated.kept_ports() {
        assert!(before.lease(LeaseRequest::exact([port])).is_err(), "{port} is kept");
        assert!(after.lease(LeaseRequest::exact([port])).is_err(), "{port} is kept");
    }
    assert_eq!(before.list().unwrap().environments.len(), after.list().unwrap().environments.len());
    before.lease(1).unwrap();
    // Whoever has a lease of the old one is still told so, until it is given back.
    populated.holder.fails("lease 1", "registry_unusable");
    populated.holder.ok("release 0");
    populated.holder.ok("lease 1");
}

#[test]
fn a_directory_of_records_that_was_replaced_is_noticed() {
    let world = Stage::new(ACTOR, 5);
    let (before, envs) = (world.allocator(), world.namespace().join("envs"));
    fs::rename(&envs, world.path().join("old-envs")).unwrap();
    let mut other = world.actor();
    let kept = other.ok("kept ports 5");
    // Its record is not in the directory that `before` has open, and its label must count all the same.
    let error = before.lease(1).map(|lease| format!("{lease:?} was kept: {kept}")).unwrap_err();
    assert!(["registry_unusable", "pool_exhausted"].contains(&error.code().as_str()), "{error}");
}

#[test]
fn a_registry_that_was_removed_is_made_again() {
    let world = Stage::alone(ACTOR, 5);
    let before = world.allocator();
    fs::remove_dir_all(world.registry()).unwrap();
    let lease = before.lease(5).unwrap();
    assert_eq!(world.allocator().lease(1).unwrap_err().code().as_str(), "pool_exhausted");
    lease.release();
    world.allocator().lease(5).unwrap();
}
