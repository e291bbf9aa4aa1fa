//! The system calls that a lease and an environment cannot do without, bare: no search, no checks, and labels only where
//! they are the claim.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::Path;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::{CWD, FlockOperation, RenameFlags, SeekFrom, XattrFlags};
use socket2::{Domain, Socket, Type};

/// Ports for the floor: walking like an allocator's, since the kernel is faster on a port near the one that it has
/// just seen, and outside the pool, so that the floor is never in the way.
pub(crate) struct Bases(u16);

impl Bases {
    pub(crate) fn new() -> Self {
        Self(10_000)
    }

    pub(crate) fn next(&mut self, count: u16) -> u16 {
        self.0 = if self.0 > 19_000 { 10_000 } else { self.0 + count };
        self.0
    }
}

/// Where the locks of ports begin.
const LOCKS: libc::off_t = 1 << 40;

/// The bytes of a label, by which a kept environment claims a port when its maker is gone.
const LABEL: usize = 64;

/// Open, the mark by which the description is known again, lock, two binds a port. Dropping it closes, and so unlocks.
pub(crate) fn lease(ports: &Path, base: u16, count: u16) -> File {
    let file = locked(ports, base, count);
    for port in base..base + count {
        for kind in [Type::STREAM, Type::DGRAM] {
            let socket = Socket::new(Domain::IPV6, kind, None).unwrap();
            socket.set_only_v6(false).unwrap();
            // Somebody may use the port: the cost is the same.
            let _ = socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into());
        }
    }
    file
}

/// Open, mark, lock.
fn locked(ports: &Path, base: u16, count: u16) -> File {
    let file = OpenOptions::new().read(true).write(true).open(ports).unwrap();
    rustix::fs::seek(&file, SeekFrom::Start((1 << 24) + u64::from(base))).unwrap();
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: LOCKS + libc::off_t::from(base),
        l_len: libc::off_t::from(count),
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_OFD_SETLK(&lock)).unwrap();
    file
}

/// What an environment of `ports` writes and removes: labels, which are its claim when its maker is gone; the record, which
/// gets the name of one that is being made and then that of a finished one; temp dir with its mark; env file.
pub(crate) fn environment(
    ports: &Path,
    records: &Path,
    scratch: &Path,
    base: u16,
    count: u16,
    record: &[u8],
    env_file: &[u8],
) {
    let (new, making) = (records.join("record.new"), records.join("record.making"));
    let finished = records.join("record");
    let (own, env) = (scratch.join("env.own"), scratch.join("env"));
    // Beside ours: a large directory is slower than a small one.
    let temp = std::env::temp_dir().join(format!("portalloc-bench-{}", std::process::id()));

    // As long as labels, and zero, so that they claim nothing.
    let (mut labels, place) = (vec![0; LABEL * usize::from(count)], u64::from(base) * LABEL as u64);

    // The record names the worktree by its path without links.
    fs::canonicalize(scratch).unwrap();
    let lease = lease(ports, base, count);
    lease.write_all_at(&labels, place).unwrap();
    write_new(&new, record);
    rustix::fs::renameat_with(CWD, &new, CWD, &making, RenameFlags::NOREPLACE).unwrap();
    fs::DirBuilder::new().mode(0o700).create(&temp).unwrap();
    let _ = rustix::fs::lsetxattr(&temp, "user.portalloc.registry", b"/run/portalloc", XattrFlags::CREATE);
    write_new(&own, env_file);
    rustix::fs::renameat_with(CWD, &own, CWD, &env, RenameFlags::NOREPLACE).unwrap();
    lease.write_all_at(&labels, place).unwrap();
    rustix::fs::renameat_with(CWD, &making, CWD, &finished, RenameFlags::NOREPLACE).unwrap();
    drop(lease);

    let lock = locked(ports, base, count);
    fs::read(&finished).unwrap();
    fs::remove_dir(&temp).unwrap();
    let env_file = File::open(&env).unwrap();
    rustix::fs::flock(&env_file, FlockOperation::NonBlockingLockExclusive).unwrap();
    std::io::read_to_string(&env_file).unwrap();
    // Moved aside before it goes, so that a file which took its place meanwhile is never removed.
    rustix::fs::renameat_with(CWD, &env, CWD, &own, RenameFlags::NOREPLACE).unwrap();
    rustix::fs::unlink(&own).unwrap();
    drop(env_file);
    rustix::fs::unlink(&finished).unwrap();
    lock.read_exact_at(&mut labels, place).unwrap();
    lock.write_all_at(&labels, place).unwrap();
    drop(lock);
}

fn write_new(path: &Path, bytes: &[u8]) {
    OpenOptions::new().write(true).create_new(true).open(path).unwrap().write_all(bytes).unwrap();
}
