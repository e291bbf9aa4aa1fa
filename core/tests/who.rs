//! `Allocator::who` against real sockets and processes of every kind, and the error that tells of them. What only
//! another user sees is tested through the command line, in cli/tests/who.rs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests: a failure is a failed test")]

#[path = "../../tests/src/slice.rs"]
mod slice;

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use portalloc::environment::EnvFile;
use portalloc::registry::Timestamp;
use portalloc::who::{PortReport, PortUsage, SocketInfo};
use portalloc::{Allocator, EnvironmentRequest, ErrorCode, Lease, LeaseRequest, Settings};
use rustix::io::FdFlags;
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;

/// A child has copies of all descriptors of this process until it executes its program, so whoever makes children makes
/// sockets of other tests live longer. Those tests have turns of their own.
static TURNS: RwLock<()> = RwLock::new(());

/// A registry and ports for one test. Sockets are machine-wide, so the ports are leased, in the registry that all tests
/// have for that.
struct World {
    folder: TempDir,
    slice: Lease,
    allocator: Allocator,
    _together: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

impl World {
    fn new() -> Self {
        let turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
        Self { _together: Some(turn), ..Self::bare() }
    }

    /// For a test that makes children.
    fn alone() -> Self {
        let turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
        Self { _alone: Some(turn), ..Self::bare() }
    }

    fn bare() -> Self {
        let (slice, pool) = slice::slice(4);
        let folder = tempfile::Builder::new().prefix("portalloc-who-").tempdir().expect("a scratch folder");
        let settings = Settings::new().directory(folder.path().join("registry")).pool(pool).exclude("");
        Self { allocator: settings.open().expect("the registry opens"), folder, slice, _together: None, _alone: None }
    }

    fn port(&self) -> u16 {
        self.slice.base_port()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn who(&self) -> PortReport {
        self.allocator.who([self.port()]).expect("who").remove(0)
    }

    /// The one socket there is.
    fn socket(&self) -> SocketInfo {
        let mut sockets = self.who().sockets;
        assert_eq!(sockets.len(), 1, "{sockets:?}");
        sockets.remove(0)
    }
}

fn is_mine(socket: &SocketInfo) -> bool {
    socket.hidden.is_none() && socket.processes.iter().any(|process| process.pid == std::process::id())
}

/// Whether this kernel shows sockets that are bound and do nothing else.
fn shows_bound(report: &PortReport) -> bool {
    if !report.complete {
        eprintln!("SKIPPED: this kernel does not show sockets that are bound and do not listen");
    }
    report.complete
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain until {what}");
        std::thread::yield_now();
    }
}

#[test]
fn nobody() {
    let world = World::new();
    let report = world.who();
    assert!(report.usage == PortUsage::Free && report.sockets.is_empty() && report.record.is_none(), "{report:?}");
    assert!(report.to_string().contains("nobody"), "{report}");
}

#[test]
fn a_connection_that_waits_for_its_server_is_not_a_closed_one() {
    let world = World::new();
    let listener = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    let client = TcpStream::connect(("127.0.0.1", world.port())).unwrap();
    let report = world.who();
    assert!(report.to_string().ends_with("; 1 connection still to be accepted"), "{report}");
    // Also if the client gave up meanwhile.
    client.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(world.who().to_string().ends_with("; 1 connection still to be accepted"), "{}", world.who());
    let accepted = listener.accept().unwrap();
    assert!(world.who().to_string().ends_with("; not leased"), "{}", world.who());
    drop((accepted, client));
}

/// Asked by whoever has the ports leased: a registry of its own leaves those of a lease that is not there alone.
#[test]
fn servers_that_are_left_are_leaks() {
    let world = World::new();
    let (port, ports) = (world.port(), [world.port(), world.port() + 1]);
    let leaks = |ours_too| world.allocator.leaks(&ports, ours_too).unwrap();
    assert_eq!(leaks(true), Vec::new());
    for address in ["127.0.0.1", "::1"] {
        let listener = TcpListener::bind((address, port)).unwrap();
        let [leak] = leaks(true).try_into().unwrap();
        assert!(leak.port == port && leak.is_ours, "{leak:?}");
        let said = format!("port {port} is given back, but still listened on by this very process, PID");
        assert!(leak.message.starts_with(&said), "{}", leak.message);
        assert_eq!(leaks(false), Vec::new(), "ours does not count");
        drop(listener);
    }
    let udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(leaks(true).len(), 1);
    drop(udp);
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
    assert_eq!(leaks(true), Vec::new(), "nobody can reach it");
    drop(bound);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    drop((listener.accept().unwrap(), listener));
    assert_eq!(leaks(true), Vec::new(), "a connection is no server");
    drop(client);
    assert_eq!(leaks(true), Vec::new(), "nor is one that the kernel has yet to drop");
    assert_eq!(world.allocator.leaks(&[0], true).unwrap_err().code(), ErrorCode::InvalidArgument);
}

#[test]
fn culprits_are_those_that_are_there() {
    let world = World::new();
    let (port, other) = (world.port(), world.port() + 1);
    let culprits = |ports: [u16; 2]| {
        let reports = world.allocator.culprits(ports).unwrap();
        reports.iter().map(|report| report.port).collect::<Vec<_>>()
    };
    assert_eq!(culprits([port, other]), [0_u16; 0]);
    let lease = world.allocator.lease(LeaseRequest::exact([other])).unwrap();
    assert_eq!(culprits([port, other]), [other]);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_eq!(culprits([other, port]), [port]);
    drop((lease, listener));
}

#[test]
fn listeners_on_every_address() {
    let world = World::new();
    for address in ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"] {
        let address = SocketAddr::new(address.parse().unwrap(), world.port());
        let listener = TcpListener::bind(address).unwrap();
        let socket = world.socket();
        assert_eq!((socket.protocol, socket.state, socket.local, socket.remote), ("tcp", "listen", address, None));
        assert_eq!(world.who().usage, PortUsage::Bound { protocol: "tcp" });
        assert!(is_mine(&socket), "{socket:?}");
        drop(listener);
    }
}

#[test]
fn the_process_is_described() {
    let world = World::new();
    let _listener = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    let socket = world.socket();
    let me = rustix::process::geteuid().as_raw();
    assert_eq!(socket.user_id, Some(me));
    let process = socket.processes.iter().find(|process| process.pid == std::process::id()).unwrap();
    assert_eq!(process.user_id, me);
    assert!(std::env::current_exe().unwrap().to_str().unwrap().contains(&process.name), "{process:?}");
    assert!(process.command.contains("who"), "{process:?}");
    assert!(process.started_at <= Timestamp::now() && process.started_at.age() < Duration::from_secs(3600));
    let said = world.who().to_string();
    for part in [format!("PID {}", process.pid), process.name.clone(), "since 20".to_owned()] {
        assert!(said.contains(&part), "{part} is missing in {said}");
    }
}

#[test]
fn bound_without_listening() {
    let world = World::new();
    for (domain, address) in [(Domain::IPV4, "127.0.0.1"), (Domain::IPV6, "::")] {
        let address = SocketAddr::new(address.parse().unwrap(), world.port());
        let socket = Socket::new(domain, Type::STREAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        if !shows_bound(&world.who()) {
            return;
        }
        let seen = world.socket();
        assert_eq!((seen.protocol, seen.state, seen.local, seen.remote), ("tcp", "bound", address, None));
        assert!(is_mine(&seen), "{seen:?}");
    }
}

#[test]
fn udp() {
    let world = World::new();
    for (address, other) in [("127.0.0.1", "127.0.0.1:9"), ("::1", "[::1]:9")] {
        let address = SocketAddr::new(address.parse().unwrap(), world.port());
        let socket = UdpSocket::bind(address).unwrap();
        let seen = world.socket();
        assert_eq!((seen.protocol, seen.state, seen.local, seen.remote), ("udp", "unconnected", address, None));
        assert!(is_mine(&seen), "{seen:?}");
        socket.connect(other).unwrap();
        let seen = world.socket();
        assert_eq!((seen.state, seen.remote), ("established", other.parse().ok()));
    }
}

#[test]
fn tcp_and_udp_at_once() {
    let world = World::new();
    let _tcp = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    let _udp = UdpSocket::bind(("::1", world.port())).unwrap();
    let mut protocols: Vec<_> = world.who().sockets.iter().map(|socket| socket.protocol).collect();
    protocols.sort_unstable();
    assert_eq!(protocols, ["tcp", "udp"]);
}

#[test]
fn both_ends_of_a_connection() {
    let world = World::new();
    let [one, other] = [world.port(), world.port() + 1];
    let listener = TcpListener::bind(("127.0.0.1", one)).unwrap();
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.bind(&SocketAddr::from(([127, 0, 0, 1], other)).into()).unwrap();
    client.connect(&listener.local_addr().unwrap().into()).unwrap();
    let (_server, _) = listener.accept().unwrap();
    let reports = world.allocator.who([other, one]).unwrap();
    let [of_client, of_server] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!((of_client.port, of_server.port), (other, one));
    let ends = |report: &PortReport| {
        let sockets = report.sockets.iter().filter(|socket| socket.state == "established");
        sockets
            .map(|socket| (socket.local.port(), socket.remote.map(|remote| remote.port()), is_mine(socket)))
            .collect()
    };
    let ends: [Vec<_>; 2] = [ends(of_client), ends(of_server)];
    assert_eq!(ends, [vec![(other, Some(one), true)], vec![(one, Some(other), true)]]);
    assert_eq!((of_client.sockets.len(), of_server.sockets.len()), (1, 2));
}

#[test]
fn a_closed_connection_lingers_without_a_process() {
    let world = World::new();
    let listener = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    // Who closes first has the port in TIME_WAIT.
    drop(server);
    until("the server's end is in FIN_WAIT_2", || {
        world.who().sockets.iter().any(|socket| socket.state == "fin_wait_2" && socket.processes.is_empty())
    });
    drop((client, listener));
    until("the port is in TIME_WAIT", || {
        let sockets = world.who().sockets;
        sockets.len() == 1 && sockets.iter().all(|socket| socket.state == "time_wait")
    });
    let socket = world.socket();
    assert!(socket.user_id.is_none() && socket.processes.is_empty() && socket.hidden.is_none(), "{socket:?}");
    let said = world.who().to_string();
    assert!(said.contains("no process") && said.contains("1 closed connection"), "{said}");
}

#[test]
fn two_processes_with_one_socket_are_both_named() {
    let world = World::alone();
    let listener = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    rustix::io::fcntl_setfd(listener.as_fd(), FdFlags::empty()).unwrap();
    // It reads until its standard input ends.
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    rustix::io::fcntl_setfd(listener.as_fd(), FdFlags::CLOEXEC).unwrap();
    let pids = |socket: &SocketInfo| socket.processes.iter().map(|process| process.pid).collect::<Vec<_>>();
    let socket = world.socket();
    assert!(is_mine(&socket) && pids(&socket).contains(&child.id()), "{socket:?}");
    let said = world.who().to_string();
    assert!(said.contains(&format!("PID {} (cat), since ", child.id())), "{said}");
    drop(listener);
    assert_eq!(pids(&world.socket()), [child.id()]);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(world.who().sockets.is_empty());
}

#[test]
fn a_socket_open_twice_in_a_process_names_it_once() {
    let world = World::new();
    let listener = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    let _copy = listener.try_clone().unwrap();
    let pids: Vec<_> = world.socket().processes.iter().map(|process| process.pid).collect();
    assert_eq!(pids.iter().filter(|pid| **pid == std::process::id()).count(), 1);
}

#[test]
fn a_lease_of_this_process() {
    let world = World::new();
    let lease = world.allocator.lease(LeaseRequest::exact([world.port()])).unwrap();
    let report = world.who();
    let PortUsage::Held { holder: Some(holder), id: None, since: Some(_) } = &report.usage else {
        panic!("{report:?}");
    };
    assert_eq!(holder.pid, std::process::id());
    assert!(report.to_string().contains(&format!("is held by PID {}", holder.pid)), "{report}");
    let _server = TcpListener::bind(("127.0.0.1", world.port())).unwrap();
    let report = world.who();
    assert!(matches!(report.usage, PortUsage::Held { .. }) && report.sockets.iter().all(is_mine), "{report:?}");
    lease.release();
    assert_eq!(world.who().usage, PortUsage::Bound { protocol: "tcp" });
}

/// One that outlives this test's memory of it.
fn kept(world: &World) -> portalloc::Environment {
    let request = EnvironmentRequest::new().ports(2).worktree(world.path()).env_file(EnvFile::None).kept();
    world.allocator.create_environment(&request).unwrap()
}

#[test]
fn a_kept_environment_with_its_work_tree() {
    let world = World::new();
    let mut environment = kept(&world);
    let reports = world.allocator.who_environment(environment.id()).unwrap();
    assert_eq!(reports.iter().map(|report| report.port).collect::<Vec<_>>(), environment.ports());
    for report in &reports {
        assert!(matches!(report.usage, PortUsage::Kept { id, .. } if id == environment.id()), "{report:?}");
        assert_eq!(report.record.as_deref(), Some(environment.record()));
        let said = report.to_string();
        assert!(said.contains(&format!("environment {}", environment.id())), "{said}");
        assert!(said.contains(&environment.record().worktree_path.display().to_string()), "{said}");
    }
    environment.cleanup().unwrap();
    assert_eq!(world.allocator.who_environment(environment.id()).unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn a_damaged_label_is_seen_through_and_left_as_it_is() {
    let world = World::new();
    let mut environment = kept(&world);
    let own = std::fs::metadata("/proc/self/ns/net").unwrap().ino();
    let path = world.allocator.directory().join(format!("net-{own}/ports"));
    let port = *environment.ports().first().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"scribble", u64::from(port) * 64).unwrap();
    let before = std::fs::read(&path).unwrap();
    let report = world.allocator.who([port]).unwrap().remove(0);
    assert!(matches!(report.usage, PortUsage::Kept { id, .. } if id == environment.id()), "{report:?}");
    assert!(std::fs::read(&path).unwrap() == before, "looking has changed the ports file");
    environment.cleanup().unwrap();
}

#[test]
fn port_in_use_names_process_and_environment() {
    let world = World::new();
    let mut environment = kept(&world);
    let port = *environment.ports().first().unwrap();
    let refusal = |port| world.allocator.lease(LeaseRequest::exact([port])).unwrap_err();
    let of_kept = refusal(port);
    assert_eq!(of_kept.code(), ErrorCode::PortInUse);
    let (id, worktree) = (environment.id().to_string(), environment.record().worktree_path.display().to_string());
    assert!(of_kept.message().contains(&id) && of_kept.message().contains(&worktree), "{of_kept}");

    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let pid = format!("PID {} (", std::process::id());
    let served = refusal(port);
    for part in [&id, &worktree, &pid, "), since "] {
        assert!(served.message().contains(part), "{part} is missing in {served}");
    }
    environment.cleanup().unwrap();
    let stranger = refusal(port);
    assert_eq!(stranger.code(), ErrorCode::PortInUse);
    assert!(stranger.message().contains(&pid) && !stranger.message().contains(&id), "{stranger}");
    drop(listener);
    world.allocator.lease(LeaseRequest::exact([port])).unwrap();
}

#[test]
fn port_0_does_not_exist() {
    let world = World::new();
    assert_eq!(world.allocator.who([world.port(), 0]).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert!(world.allocator.who([]).unwrap().is_empty());
}
