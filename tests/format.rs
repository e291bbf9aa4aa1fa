//! The format of the registry, by its bytes as `docs/registry.md` states them: they are for other versions, too.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use portalloc::LeaseRequest;
use portalloc_testkit::names;
use portalloc_tests::Stage;

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

fn open(path: &Path) -> File {
    File::options().read(true).write(true).open(path).unwrap()
}

/// A header of 64 bytes with its checksum.
fn header(format: u16, minimum_reader: u16, version: &str, namespace: u64) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[..10].copy_from_slice(b"portalloc\n");
    bytes[10..12].copy_from_slice(&format.to_le_bytes());
    bytes[12..14].copy_from_slice(&minimum_reader.to_le_bytes());
    bytes[14..14 + version.len()].copy_from_slice(version.as_bytes());
    bytes[38..46].copy_from_slice(&namespace.to_le_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes[60..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

#[test]
fn slot_0_is_the_header() {
    let world = Stage::new(ACTOR, 2);
    world.actor().lease("lease 2");
    let mut found = [0; 64];
    open(&world.ports_file()).read_exact_at(&mut found, 0).unwrap();
    let namespace = u64::from_le_bytes(found[38..46].try_into().unwrap());
    assert_eq!(found, header(1, 1, env!("CARGO_PKG_VERSION"), namespace));
}

#[test]
fn a_file_without_a_header_or_for_newer_versions_is_refused_with_the_version_to_install() {
    let world = Stage::new(ACTOR, 2);
    let mut before = world.actor();
    before.lease("lease 1");
    let file = open(&world.ports_file());
    let mut written = [0; 64];
    file.read_exact_at(&mut written, 0).unwrap();
    let mut damaged = written;
    damaged[40] ^= 1;
    for (bytes, version) in [
        ([0; 64], env!("CARGO_PKG_VERSION")),
        (damaged, env!("CARGO_PKG_VERSION")),
        (*b"Traceback (most recent call last): what was written to stderr...", env!("CARGO_PKG_VERSION")),
        (header(2, 2, "0.7.1", 0), "0.7.1"),
    ] {
        file.write_all_at(&bytes, 0).unwrap();
        let failure = world.actor().fails("lease 1", "registry_unusable");
        assert!(failure.message.contains(&format!("install portalloc {version} or newer")), "{}", failure.message);
    }
    // A later one that this version may use.
    file.write_all_at(&header(2, 1, "0.7.1", 0), 0).unwrap();
    world.actor().lease("lease 1");
}

fn lock(file: &File, at: i64) -> bool {
    let lock = nix::libc::flock {
        l_type: nix::libc::F_WRLCK as i16,
        l_whence: nix::libc::SEEK_SET as i16,
        l_start: at,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).is_ok()
}

#[test]
fn locks_lie_at_two_to_the_forty_and_the_port() {
    let world = Stage::alone(ACTOR, 2);
    let allocator = world.allocator();
    let [one, two] = [world.base(), world.base() + 1];
    let other = open(&world.ports_file());
    assert!(lock(&other, (1 << 40) + i64::from(one)));
    assert!(lock(&other, i64::from(two)), "which is nobody's");
    assert!(allocator.lease(LeaseRequest::exact([one])).is_err());
    let lease = allocator.lease(LeaseRequest::exact([two])).unwrap();
    assert!(!lock(&open(&world.ports_file()), (1 << 40) + i64::from(two)));
    lease.release();
    assert!(lock(&open(&world.ports_file()), (1 << 40) + i64::from(two)));
}

#[test]
fn what_a_network_namespace_that_is_gone_kept_is_none_of_its_successors() {
    let world = Stage::new(ACTOR, 2);
    let mut before = world.actor();
    before.ok("kept ports 2 file none");
    let file = open(&world.ports_file());
    let mut written = [0; 64];
    file.read_exact_at(&mut written, 0).unwrap();
    let namespace = u64::from_le_bytes(written[38..46].try_into().unwrap());
    if namespace == 0 {
        eprintln!("SKIPPED: this kernel does not number network namespaces");
        return;
    }
    world.actor().fails("lease 1", "pool_exhausted");
    // As if it had been another one with the same inode.
    file.write_all_at(&header(1, 1, "0.1.0", namespace + 1), 0).unwrap();
    let mut successors = world.actors(2);
    successors[0].lease("lease 2");
    successors[1].fails("lease 1", "pool_exhausted");
    let names = names(world.registry());
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[1].ends_with(&format!("-{namespace}")), "{names:?}");
    assert_eq!(fs::metadata(world.registry().join(&names[1]).join("ports")).unwrap().len(), 65536 * 64);
}

#[test]
fn a_record_bears_its_name_once_it_is_finished_and_no_mode_means_anything() {
    let world = Stage::new(ACTOR, 4);
    let mut actor = world.actor();
    let kept = actor.ok("kept ports 2 file none");
    let id = kept["id"].as_str().unwrap();
    let envs = world.namespace().join("envs");
    assert_eq!(names(&envs), [format!("{id}.json")]);
    for mode in [0o400, 0o600, 0o640, 0o1600] {
        fs::set_permissions(world.record(id), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        assert_eq!(actor.ok("list")["environments"][0]["status"], "active", "{mode:o}");
        actor.fails("lease 3", "pool_exhausted");
    }
    let held = actor.ok("held ports 1 file none");
    assert!(envs.join(format!("{}.json", held["id"].as_str().unwrap())).exists());
}
