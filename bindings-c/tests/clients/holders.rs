//! Leases of C programs that are killed, and that others have inherited.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use portalloc_core::{ErrorCode, LeaseRequest};
use portalloc_tests::{World, until};

use crate::support::{Link, client, world};

/// A client that holds two ports, and perhaps a child of it. Both end when their standard input does.
struct Holder {
    child: Child,
    stdin: Option<ChildStdin>,
    ports: Vec<u16>,
}

impl Holder {
    fn start(world: &World, how: Option<&str>) -> Self {
        let program = client(world, "holder.c", Link::Shared);
        let mut command: Command = world.command(program.to_str().unwrap());
        let mut child = command.args(how).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let parsed: Result<_, _> = first.split(' ').map(str::parse).collect();
        let ports = parsed.unwrap_or_else(|_| panic!("{first}"));
        if how.is_some() {
            assert_eq!(lines.next().unwrap().unwrap(), "started");
        }
        Self { child, stdin, ports }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn state(world: &World, holder: &Holder) -> Option<ErrorCode> {
    world.allocator().lease(LeaseRequest::exact(holder.ports.clone())).err().map(|error| error.code())
}

#[test]
fn a_killed_process_holds_nothing() {
    let world = world(10);
    let mut holder = Holder::start(&world, None);
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    holder.kill();
    assert_eq!(state(&world, &holder), None);
}

#[test]
fn exec_closes_a_lease() {
    let world = world(10);
    let mut holder = Holder::start(&world, Some("keep"));
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    holder.kill();
    // Its child still runs.
    assert_eq!(state(&world, &holder), None);
}

/// Leases with no descriptors 0 to 2, and then lets /dev/null take their place.
#[test]
fn a_daemon_keeps_its_lease_and_the_registry_stays_clean() {
    let world = world(10);
    let holder = Holder::start(&world, Some("daemon"));
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    let written = std::fs::read(world.ports_file()).unwrap();
    let text = b"what a daemon writes";
    assert!(!written.windows(text.len()).any(|bytes| bytes == text), "standard error goes to the registry");
}

#[test]
fn an_inherited_lease_lives_until_its_last_process_is_gone() {
    let world = world(10);
    let mut holder = Holder::start(&world, Some("pass"));
    holder.kill();
    assert_eq!(state(&world, &holder), Some(ErrorCode::PortInUse));
    drop(holder.stdin.take());
    until("the child has ended", || state(&world, &holder).is_none());
}
