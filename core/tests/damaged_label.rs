//! A damaged label of a live environment whose ports were an expired one's before, whose record is still there. Either of
//! the two may come first in the order of IDs, which are random; so it is tried often enough to meet both.

#[path = "../../tests/src/slice.rs"]
mod slice;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, Instant};

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::{EnvironmentRequest, ErrorCode, Settings};

#[test]
fn it_is_not_taken_for_the_expired_ones() {
    let folder = tempfile::tempdir().unwrap();
    let registry = folder.path().join("registry");
    let (_slice, pool) = slice::slice(2);
    let allocator = Settings::new().directory(&registry).pool(pool).exclude("").open().unwrap();
    let request = EnvironmentRequest::new().worktree(folder.path()).env_file(EnvFile::None).ports(2).kept();
    let own = fs::metadata("/proc/self/ns/net").unwrap().ino();
    let net = registry.join(format!("net-{own}"));
    let file = OpenOptions::new().write(true).open(net.join("ports")).unwrap();
    for _ in 0..16 {
        let old = allocator.create_environment(&request.clone().ttl(Duration::from_millis(1))).unwrap();
        let start = Instant::now();
        while allocator.attach(old.id()).is_ok() {
            assert!(start.elapsed() < Duration::from_secs(60), "its TTL is over");
            std::thread::yield_now();
        }
        let live = allocator.create_environment(&request).unwrap();
        for port in live.ports() {
            file.write_all_at(b"X", u64::from(*port) * 64 + 40).unwrap();
        }
        let refused = allocator.lease(1).map(|lease| lease.base_port()).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::PoolExhausted);
        assert!(allocator.attach(live.id()).is_ok());
        allocator.cleanup(&Cleanup::new(Selection::All)).unwrap();
    }
}
