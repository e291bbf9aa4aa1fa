//! A damaged label of a live environment whose ports were an expired one's before, whose record is still there. Either of
//! the two may come first in the order of IDs, which are random; so it is tried often enough to meet both.

use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::{EnvironmentRequest, ErrorCode};
use portalloc_testkit::{World, until};

#[test]
fn it_is_not_taken_for_the_expired_ones() {
    let world = World::new(2);
    let allocator = world.allocator();
    let request = EnvironmentRequest::new().worktree(world.work()).env_file(EnvFile::None).ports(2).kept();
    for _ in 0..16 {
        let old = allocator.create_environment(&request.clone().ttl(Duration::from_millis(1))).unwrap();
        until("its TTL is over", || allocator.attach(old.id()).is_err());
        let live = allocator.create_environment(&request).unwrap();
        for port in live.ports() {
            world.scribble(*port, 40, b"X");
        }
        let refused = allocator.lease(1).map(|lease| lease.base_port()).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::PoolExhausted);
        assert!(allocator.attach(live.id()).is_ok());
        allocator.cleanup(&Cleanup::new(Selection::All)).unwrap();
    }
}
