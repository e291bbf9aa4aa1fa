//! A thread that enters another network namespace while an allocator of the old one is at hand: leases are of the
//! namespace that the thread is in, or refused.

use nix::sched::{CloneFlags, unshare};
use portalloc::environment::EnvFile;
use portalloc::ffi::Allocators;
use portalloc::{EnvironmentRequest, ErrorCode, LeaseRequest};
use portalloc_testkit::{World, skip};

#[test]
fn a_lease_is_of_the_network_namespace_that_the_thread_is_in() {
    let world = World::new(2);
    let settings = world.settings();
    let opened_before = settings.clone().open().unwrap();
    let allocators = Allocators::new();
    // Of two ports one is free in the old namespace, so that it could be had; later none is.
    let here = allocators.with(&settings, |allocator| allocator.lease(1)).unwrap();
    let entered = std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            // Cached a moment ago, so that nothing but the lease itself can notice.
            allocators.with(&settings, |allocator| Ok(allocator.pool().clone())).unwrap();
            if unshare(CloneFlags::CLONE_NEWNET).is_err() {
                return false;
            }
            for count in [1, 2] {
                let error = opened_before.lease(LeaseRequest::run(count)).unwrap_err();
                assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
                assert!(error.message().contains("another network namespace"), "{error}");
            }
            let one = allocators.with(&settings, |allocator| allocator.lease(1)).unwrap();
            let error = settings.clone().open().unwrap().lease(2).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PoolExhausted, "held in this namespace's registry: {error}");
            drop(one);
            let lease = allocators.with(&settings, |allocator| allocator.lease(2)).unwrap();
            assert!(lease.ports().contains(&here.base_port()), "which is another port here");
            let error = settings.clone().open().unwrap().lease(1).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PoolExhausted, "held in this namespace's registry: {error}");
            drop(lease);
            let request = EnvironmentRequest::new().ports(1).worktree(world.work()).env_file(EnvFile::None);
            let environment = allocators.with(&settings, |allocator| allocator.create_environment(&request)).unwrap();
            assert!(settings.clone().open().unwrap().attach(environment.id()).is_ok(), "its record is here, too");
            true
        });
        elsewhere.join().unwrap()
    });
    if !entered {
        skip("network namespaces cannot be made here");
    }
    assert_eq!(opened_before.lease(2).unwrap_err().code(), ErrorCode::PoolExhausted);
    assert!(opened_before.lease(1).is_ok());
}
