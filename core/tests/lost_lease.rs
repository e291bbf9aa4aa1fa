//! Leases that exclude nobody any more: their own check says so, and so that a program can tell it from other failures.

use portalloc::ErrorCode;
use portalloc_testkit::World;

#[test]
fn a_lease_in_a_registry_that_was_removed_is_lost() {
    let world = World::new(4);
    let allocator = world.allocator();
    let lease = allocator.lease(1).unwrap();
    lease.check().unwrap();
    std::fs::rename(world.registry(), world.path().join("away")).unwrap();
    let error = lease.check().unwrap_err();
    assert!(error.is_lease_lost(), "{error}");
    assert_eq!(error.code(), ErrorCode::RegistryUnusable);
    std::fs::rename(world.path().join("away"), world.registry()).unwrap();
    lease.check().unwrap();
}

#[test]
fn a_lease_that_was_released_is_not_lost() {
    let world = World::new(4);
    let lease = world.allocator().lease(1).unwrap();
    lease.release();
    let error = lease.check().unwrap_err();
    assert_eq!((error.code(), error.is_lease_lost()), (ErrorCode::InvalidArgument, false), "{error}");
    let error = world.allocator().lease(70_000).unwrap_err();
    assert!(!error.is_lease_lost() && error.other_user().is_none());
}
