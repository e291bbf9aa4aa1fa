//! Leases of C programs that are killed, and that others have inherited.

use portalloc_core::{ErrorCode, LeaseRequest};
use portalloc_testkit::{Running, World, until};

use crate::support::{Link, client};

/// A client that holds two ports, and perhaps a child of it. Both end when their standard input does.
struct Holder {
    process: Running,
    ports: Vec<u16>,
}

impl Holder {
    fn start(world: &World, how: Option<&str>) -> Self {
        let mut process = Running::start(world.program(client(world, "holder.c", Link::Shared)).args(how));
        let first = process.line();
        let parsed: Result<_, _> = first.split(' ').map(str::parse).collect();
        let ports = parsed.unwrap_or_else(|_| panic!("{first}"));
        if how.is_some() {
            assert_eq!(process.line(), "started");
        }
        Self { process, ports }
    }
}

fn state(world: &World, holder: &Holder) -> Option<ErrorCode> {
    world.allocator().lease(LeaseRequest::exact(holder.ports.clone())).err().map(|error| error.code())
}

#[test]
fn a_killed_process_holds_nothing() {
    let world = World::new(10);
    let mut holder = Holder::start(&world, None);
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    holder.process.kill();
    assert_eq!(state(&world, &holder), None);
}

#[test]
fn exec_closes_a_lease() {
    let world = World::new(10);
    let mut holder = Holder::start(&world, Some("keep"));
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    holder.process.kill();
    // Its child still runs.
    assert_eq!(state(&world, &holder), None);
}

/// Leases with no descriptors 0 to 2, and then lets /dev/null take their place.
#[test]
fn a_daemon_keeps_its_lease_and_the_registry_stays_clean() {
    let world = World::new(10);
    let holder = Holder::start(&world, Some("daemon"));
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    let written = std::fs::read(world.ports_file()).unwrap();
    let text = b"what a daemon writes";
    assert!(!written.windows(text.len()).any(|bytes| bytes == text), "standard error goes to the registry");
}

#[test]
fn an_inherited_lease_lives_until_its_last_process_is_gone() {
    let world = World::new(10);
    let mut holder = Holder::start(&world, Some("pass"));
    holder.process.kill();
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    holder.process.end_input();
    until("the child has ended", || state(&world, &holder).is_none());
}
