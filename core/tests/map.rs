//! The map of the pool: what it sees, and that looking is in nobody's way. Starts no processes, which would for a moment
//! have the sockets and locks of this one.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::pool::{PoolMap, PortClass};
use portalloc::{EnvironmentRequest, LeaseRequest};
use portalloc_testkit::{World, until};

fn ports(map: &PoolMap, class: PortClass) -> Vec<u16> {
    map.ports(class).ports().collect()
}

#[test]
fn the_census_counts_what_the_map_shows() {
    let world = World::new(30);
    let allocator = world.allocator();
    let lease = allocator.lease(3).unwrap();
    let request = EnvironmentRequest::new().worktree(world.work()).env_file(EnvFile::None).ports(2usize);
    let kept = allocator.create_environment(&request.clone().kept()).unwrap();
    let stale = allocator.create_environment(&request.kept().ttl(Duration::from_millis(1))).unwrap();
    let taken = [lease.ports(), kept.ports(), stale.ports()].concat();
    let mut others = world.ports().iter().filter(|port| !taken.contains(port));
    let _tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, *others.next().unwrap())).unwrap();
    let _udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, *others.next().unwrap())).unwrap();
    until("its TTL is over", || !ports(&allocator.pool_map().unwrap(), PortClass::Stale).is_empty());
    let map = allocator.pool_map().unwrap();
    assert_eq!(ports(&map, PortClass::Held), lease.ports());
    assert_eq!(ports(&map, PortClass::Kept), kept.ports());
    assert_eq!(ports(&map, PortClass::Stale), stale.ports());
    assert_eq!(ports(&map, PortClass::Foreign).len(), 2);
    assert_eq!(map.runs().iter().map(|(range, _)| range.count()).sum::<usize>(), 30);
    assert_eq!(map.census(), allocator.census().unwrap());
    drop(lease);
    allocator.cleanup(&Cleanup::new(Selection::All)).unwrap();
    let map = allocator.pool_map().unwrap();
    assert_eq!((map.census().free, map.census().foreign), (28, 2));
}

/// A map that probes would make a server's own bind fail now and then; one that locks would make a lease fail.
#[test]
fn looking_is_in_nobodys_way() {
    let world = World::new(8);
    let allocator = world.allocator();
    let done = AtomicBool::new(false);
    let work = || {
        for port in world.ports().iter().cycle().take(8 * 500) {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).map_err(|error| format!("bind: {error}"))?;
            allocator.lease(LeaseRequest::exact([*port])).map_err(|error| format!("lease: {error}"))?;
        }
        Ok::<(), String>(())
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                assert_eq!(allocator.pool_map().unwrap().census().pool, 8);
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let worked = work();
        done.store(true, Ordering::Relaxed);
        assert_eq!(worked, Ok(()));
    });
}
