//! Threads in different network namespaces with one allocator: each call is in the namespace of the calling thread.

use std::sync::mpsc;

use nix::sched::{CloneFlags, unshare};
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::ffi::Allocators;
use portalloc::{EnvironmentRequest, ErrorCode, Settings};
use portalloc_testkit::{Slice, skip};

#[test]
fn a_lease_is_of_the_network_namespace_that_the_thread_is_in() {
    let directory = tempfile::tempdir().unwrap();
    let slice = Slice::new(2);
    let settings = Settings::new().directory(directory.path().join("registry")).pool(slice.pool()).exclude("");
    let opened_before = settings.clone().open().unwrap();
    let allocators = Allocators::new();
    // Of two ports one is free in the old namespace, so that it could be had; later none is.
    let here = allocators.with(&settings, |allocator| allocator.lease(1)).unwrap();
    let entered = std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            if unshare(CloneFlags::CLONE_NEWNET).is_err() {
                return false;
            }
            let both = opened_before.lease(2).unwrap();
            let error = settings.clone().open().unwrap().lease(1).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PoolExhausted, "held in this namespace's registry: {error}");
            assert_eq!(opened_before.list().unwrap().leases.len(), 1);
            drop(both);
            let one = allocators.with(&settings, |allocator| allocator.lease(1)).unwrap();
            let error = settings.clone().open().unwrap().lease(2).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PoolExhausted, "held in this namespace's registry: {error}");
            drop(one);
            let lease = allocators.with(&settings, |allocator| allocator.lease(2)).unwrap();
            assert!(lease.ports().contains(&here.base_port()), "which is another port here");
            let error = settings.clone().open().unwrap().lease(1).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PoolExhausted, "held in this namespace's registry: {error}");
            drop(lease);
            let request = EnvironmentRequest::new().ports(1).worktree(directory.path()).env_file(EnvFile::None);
            let environment = allocators.with(&settings, |allocator| allocator.create_environment(&request)).unwrap();
            assert!(settings.clone().open().unwrap().attach(environment.id()).is_ok(), "its record is here, too");
            true
        });
        elsewhere.join().unwrap()
    });
    if !entered {
        skip("no network namespace can be made here");
    }
    assert_eq!(opened_before.lease(2).unwrap_err().code(), ErrorCode::PoolExhausted);
    assert!(opened_before.lease(1).is_ok());
}

#[test]
fn an_environment_is_of_the_network_namespace_that_the_thread_is_in() {
    let directory = tempfile::tempdir().unwrap();
    let slice = Slice::new(1);
    let settings = Settings::new().directory(directory.path().join("registry")).pool(slice.pool()).exclude("");
    let request = EnvironmentRequest::new().ports(1).kept().worktree(directory.path()).env_file(EnvFile::None);
    // Two that know the old namespace only, each for one call from the new one.
    let (cleaner, maker) = (settings.clone().open().unwrap(), settings.open().unwrap());
    let here = maker.create_environment(&request).unwrap();
    let by_id = Cleanup::new(Selection::Id(here.id()));
    let entered = std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            if unshare(CloneFlags::CLONE_NEWNET).is_err() {
                return false;
            }
            assert!(cleaner.cleanup(&by_id).unwrap().removed.is_empty(), "it is none of this namespace's");
            // The old namespace's only port is taken.
            let there = maker.create_environment(&request).unwrap();
            assert_eq!(there.ports(), here.ports());
            assert_eq!(cleaner.cleanup(&Cleanup::new(Selection::Id(there.id()))).unwrap().removed.len(), 1);
            true
        });
        elsewhere.join().unwrap()
    });
    if !entered {
        skip("no network namespace can be made here");
    }
    assert_eq!(maker.cleanup(&by_id).unwrap().removed.len(), 1);
}

#[test]
fn threads_in_two_network_namespaces_use_one_allocator_in_turns() {
    let directory = tempfile::tempdir().unwrap();
    let slice = Slice::new(2);
    let settings = Settings::new().directory(directory.path().join("registry")).pool(slice.pool()).exclude("");
    let allocator = settings.clone().open().unwrap();
    let request = || EnvironmentRequest::new().ports(1).worktree(directory.path()).env_file(EnvFile::None);
    let ((go, went), (done, turned)) = (mpsc::channel::<()>(), mpsc::channel());
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            // Moved in: whoever panics ends the other's wait.
            let (went, done) = (went, done);
            let is_entered = unshare(CloneFlags::CLONE_NEWNET).is_ok();
            let mut held = None;
            while went.recv().is_ok() {
                if is_entered {
                    drop(held.take());
                    held = Some(allocator.lease(2).unwrap());
                    assert_eq!(allocator.list().unwrap().leases.len(), 1);
                }
                done.send(()).unwrap();
            }
            is_entered
        });
        let one = allocator.lease(1).unwrap();
        // Made in this namespace, and in this namespace it ends, whatever the allocator was used for meanwhile.
        let mut environment = allocator.create_environment(&request()).unwrap();
        for turn in 0..8 {
            go.send(()).unwrap();
            turned.recv().unwrap();
            assert_eq!(allocator.lease(1).unwrap_err().code(), ErrorCode::PoolExhausted, "turn {turn}");
            assert!(allocator.attach(environment.id()).is_ok());
            if turn == 6 {
                environment.cleanup().unwrap();
                environment = allocator.create_environment(&request()).unwrap();
            }
        }
        drop((go, environment, one));
        assert_eq!(allocator.census().unwrap().free, 2);
        if !other.join().unwrap() {
            skip("no network namespace can be made here");
        }
    });
}
