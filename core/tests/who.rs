//! `Allocator::who` against real sockets and processes of every kind, and the error that tells of them. What only
//! another user sees is tested through the command line, in cli/tests/who.rs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests: a failure is a failed test")]

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use portalloc::environment::EnvFile;
use portalloc::registry::Timestamp;
use portalloc::who::{Failure, PortReport, PortUsage, SocketInfo};
use portalloc::{Allocator, EnvironmentRequest, ErrorCode, LeaseRequest};
use portalloc_testkit::{World, until};
use rustix::io::FdFlags;
use socket2::{Domain, Socket, Type};

/// A world in which one port is asked about.
struct Place {
    world: World,
    allocator: Allocator,
}

impl Place {
    fn new() -> Self {
        Self::of(World::new(4))
    }

    /// For a test that makes children.
    fn alone() -> Self {
        Self::of(World::alone(4))
    }

    fn of(world: World) -> Self {
        Self { allocator: world.allocator(), world }
    }

    fn port(&self) -> u16 {
        self.world.base()
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

#[test]
fn nobody() {
    let place = Place::new();
    let report = place.who();
    assert!(report.usage == PortUsage::Free && report.sockets.is_empty() && report.record.is_none(), "{report:?}");
    assert!(report.to_string().contains("is not in use"), "{report}");
}

#[test]
fn a_connection_that_waits_for_its_server_is_not_a_closed_one() {
    let place = Place::new();
    let listener = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let client = TcpStream::connect(("127.0.0.1", place.port())).unwrap();
    let report = place.who();
    assert!(report.to_string().ends_with("; 1 connection still to be accepted"), "{report}");
    // Also if the client gave up meanwhile.
    client.shutdown(std::net::Shutdown::Both).unwrap();
    assert!(place.who().to_string().ends_with("; 1 connection still to be accepted"), "{}", place.who());
    let accepted = listener.accept().unwrap();
    assert!(place.who().to_string().ends_with("; not leased"), "{}", place.who());
    drop((accepted, client));
}

/// The holder of the ports asks. Here nobody has leased them, and nobody else uses the registry.
#[test]
fn servers_that_are_left_are_leaks() {
    let place = Place::new();
    let (port, ports) = (place.port(), [place.port(), place.port() + 1]);
    let leaks = |ours_too| place.allocator.leaks(&ports, ours_too, Duration::ZERO).unwrap();
    assert_eq!(leaks(true), Vec::new());
    for address in ["127.0.0.1", "::1"] {
        let listener = TcpListener::bind((address, port)).unwrap();
        let [leak] = leaks(true).try_into().unwrap();
        assert!(leak.port == port && leak.is_ours, "{leak:?}");
        let said = format!("port {port} is given back, but still listened on by this process, PID");
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
    assert_eq!(place.allocator.leaks(&[0], true, Duration::ZERO).unwrap_err().code(), ErrorCode::InvalidArgument);
}

/// The hook is asked while the call waits, so the server ends after the first look and before the grace is over.
#[test]
fn a_server_that_ends_within_its_grace_is_no_leak() {
    let place = Place::new();
    let listener = Mutex::new(Some(TcpListener::bind(("127.0.0.1", place.port())).unwrap()));
    let allocator = place.allocator.cancelled_by(move || {
        listener.lock().unwrap().take();
        false
    });
    assert_eq!(allocator.leaks(&[place.port()], true, Duration::from_secs(60)).unwrap(), Vec::new());
}

/// The most common conflict of all in tests: the server of the test before is still open.
#[test]
fn a_conflict_within_one_process_says_so_and_where_the_port_was_leased() {
    let place = Place::new();
    let lease = place.allocator.lease(LeaseRequest::exact([place.port()])).unwrap();
    let line = line!() - 1;
    let listener = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let explained = || {
        let mut failure = Failure::new();
        failure.named.push(place.port());
        place.allocator.explain_conflict(&failure).unwrap().unwrap().remove(0)
    };
    let told = explained();
    let (pid, port) = (std::process::id(), place.port());
    assert!(told.is_ours && told.port == port);
    assert!(told.message.starts_with(&format!("port {port} is in use by this process, PID {pid} (")), "{told}");
    let leased = format!("; held by this process, leased at {}:{line}, since ", file!());
    assert!(told.message.contains(&leased), "{leased:?} is missing in {told}");
    drop(lease);
    let told = explained();
    assert!(told.message.ends_with("; not leased"), "{told}");
    drop(listener);
    let named = place.allocator.lease(LeaseRequest::exact([port]).place("web.test.js:14")).unwrap();
    assert!(explained().message.contains("held by this process, leased at web.test.js:14, since"));
    drop(named);
}

#[test]
fn a_failure_is_explained_by_who_is_there() {
    let place = Place::new();
    let (port, other) = (place.port(), place.port() + 1);
    let explained = |told: u16, around: u16| {
        let text = format!("will use port {around}\nError: listen EADDRINUSE: address already in use :::{told}\n");
        let mut failure = Failure::new();
        failure.texts.push(text);
        let found = place.allocator.explain_conflict(&failure).unwrap().unwrap();
        found.into_iter().map(|one| one.message).collect::<Vec<_>>()
    };
    assert_eq!(explained(port, other), [""; 0], "nobody is on either");
    let lease = place.allocator.lease(LeaseRequest::exact([other])).unwrap();
    assert!(explained(port, other)[0].starts_with(&format!("port {other} is held by")));
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let [sentence] = explained(other, port).try_into().unwrap();
    assert!(sentence.starts_with(&format!("port {other} is held by")), "the line itself comes first: {sentence}");
    drop(lease);
    let [sentence] = explained(other, port).try_into().unwrap();
    assert!(sentence.starts_with(&format!("port {port} is in use by this process, PID")), "{sentence}");
    let mut named = Failure::new();
    named.named.extend([other, port, other]);
    let sentences = place.allocator.explain_conflict(&named).unwrap().unwrap();
    assert_eq!(sentences[0].message, format!("port {other} was in use, but is not any more"));
    assert!(
        sentences.len() == 2
            && sentences[1].message.starts_with(&format!("port {port} is in use by this process, PID"))
    );
    let mut harmless = Failure::new();
    harmless.texts.push(format!("port {port} is fine"));
    assert_eq!(place.allocator.explain_conflict(&harmless).unwrap(), None);
    drop(listener);
}

#[test]
fn listeners_on_every_address() {
    let place = Place::new();
    for address in ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"] {
        let address = SocketAddr::new(address.parse().unwrap(), place.port());
        let listener = TcpListener::bind(address).unwrap();
        let socket = place.socket();
        assert_eq!((socket.protocol, socket.state, socket.local, socket.remote), ("tcp", "listen", address, None));
        assert_eq!(place.who().usage, PortUsage::Bound { protocol: "tcp" });
        assert!(is_mine(&socket), "{socket:?}");
        drop(listener);
    }
}

#[test]
fn the_process_is_described() {
    let place = Place::new();
    let _listener = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let socket = place.socket();
    let me = rustix::process::geteuid().as_raw();
    assert_eq!(socket.user_id, Some(me));
    let process = socket.processes.iter().find(|process| process.pid == std::process::id()).unwrap();
    assert_eq!(process.user_id, me);
    assert!(std::env::current_exe().unwrap().to_str().unwrap().contains(&process.name), "{process:?}");
    assert!(process.command.contains("who"), "{process:?}");
    assert!(process.started_at <= Timestamp::now() && process.started_at.age() < Duration::from_secs(3600));
    let said = place.who().to_string();
    for part in [format!("PID {}", process.pid), process.name.clone(), "since 20".to_owned()] {
        assert!(said.contains(&part), "{part} is missing in {said}");
    }
}

#[test]
fn bound_without_listening() {
    let place = Place::new();
    for (domain, address) in [(Domain::IPV4, "127.0.0.1"), (Domain::IPV6, "::")] {
        let address = SocketAddr::new(address.parse().unwrap(), place.port());
        let socket = Socket::new(domain, Type::STREAM, None).unwrap();
        socket.bind(&address.into()).unwrap();
        if !shows_bound(&place.who()) {
            return;
        }
        let seen = place.socket();
        assert_eq!((seen.protocol, seen.state, seen.local, seen.remote), ("tcp", "bound", address, None));
        assert!(is_mine(&seen), "{seen:?}");
    }
}

#[test]
fn udp() {
    let place = Place::new();
    for (address, other) in [("127.0.0.1", "127.0.0.1:9"), ("::1", "[::1]:9")] {
        let address = SocketAddr::new(address.parse().unwrap(), place.port());
        let socket = UdpSocket::bind(address).unwrap();
        let seen = place.socket();
        assert_eq!((seen.protocol, seen.state, seen.local, seen.remote), ("udp", "unconnected", address, None));
        assert!(is_mine(&seen), "{seen:?}");
        socket.connect(other).unwrap();
        let seen = place.socket();
        assert_eq!((seen.state, seen.remote), ("established", other.parse().ok()));
    }
}

#[test]
fn tcp_and_udp_at_once() {
    let place = Place::new();
    let _tcp = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let _udp = UdpSocket::bind(("::1", place.port())).unwrap();
    let mut protocols: Vec<_> = place.who().sockets.iter().map(|socket| socket.protocol).collect();
    protocols.sort_unstable();
    assert_eq!(protocols, ["tcp", "udp"]);
}

#[test]
fn both_ends_of_a_connection() {
    let place = Place::new();
    let [one, other] = [place.port(), place.port() + 1];
    let listener = TcpListener::bind(("127.0.0.1", one)).unwrap();
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    client.bind(&SocketAddr::from(([127, 0, 0, 1], other)).into()).unwrap();
    client.connect(&listener.local_addr().unwrap().into()).unwrap();
    let (_server, _) = listener.accept().unwrap();
    let reports = place.allocator.who([other, one]).unwrap();
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
    let place = Place::new();
    let listener = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    // Who closes first has the port in TIME_WAIT.
    drop(server);
    until("the server's end is in FIN_WAIT_2", || {
        place.who().sockets.iter().any(|socket| socket.state == "fin_wait_2" && socket.processes.is_empty())
    });
    drop((client, listener));
    until("the port is in TIME_WAIT", || {
        let sockets = place.who().sockets;
        sockets.len() == 1 && sockets.iter().all(|socket| socket.state == "time_wait")
    });
    let socket = place.socket();
    assert!(socket.user_id.is_none() && socket.processes.is_empty() && socket.hidden.is_none(), "{socket:?}");
    let said = place.who().to_string();
    assert!(said.contains("no process") && said.contains("1 closed connection"), "{said}");
}

#[test]
fn two_processes_with_one_socket_are_both_named() {
    let place = Place::alone();
    let listener = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    rustix::io::fcntl_setfd(listener.as_fd(), FdFlags::empty()).unwrap();
    // It reads until its standard input ends.
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    rustix::io::fcntl_setfd(listener.as_fd(), FdFlags::CLOEXEC).unwrap();
    let pids = |socket: &SocketInfo| socket.processes.iter().map(|process| process.pid).collect::<Vec<_>>();
    let socket = place.socket();
    assert!(is_mine(&socket) && pids(&socket).contains(&child.id()), "{socket:?}");
    let said = place.who().to_string();
    assert!(said.contains(&format!("PID {} (cat), since ", child.id())), "{said}");
    drop(listener);
    assert_eq!(pids(&place.socket()), [child.id()]);
    drop(child.stdin.take());
    child.wait().unwrap();
    assert!(place.who().sockets.is_empty());
}

#[test]
fn a_socket_open_twice_in_a_process_names_it_once() {
    let place = Place::new();
    let listener = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let _copy = listener.try_clone().unwrap();
    let pids: Vec<_> = place.socket().processes.iter().map(|process| process.pid).collect();
    assert_eq!(pids.iter().filter(|pid| **pid == std::process::id()).count(), 1);
}

#[test]
fn a_lease_of_this_process() {
    let place = Place::new();
    let lease = place.allocator.lease(LeaseRequest::exact([place.port()])).unwrap();
    let report = place.who();
    let PortUsage::Held { holder: Some(holder), id: None, since: Some(_) } = &report.usage else {
        panic!("{report:?}");
    };
    assert_eq!(holder.pid, std::process::id());
    assert!(report.to_string().contains("is held by this process, leased at core/tests/who.rs:"), "{report}");
    let _server = TcpListener::bind(("127.0.0.1", place.port())).unwrap();
    let report = place.who();
    assert!(matches!(report.usage, PortUsage::Held { .. }) && report.sockets.iter().all(is_mine), "{report:?}");
    lease.release();
    assert_eq!(place.who().usage, PortUsage::Bound { protocol: "tcp" });
}

/// One that outlives this test's memory of it.
fn kept(place: &Place) -> portalloc::Environment {
    let request = EnvironmentRequest::new().ports(2).worktree(place.world.work()).env_file(EnvFile::None).kept();
    place.allocator.create_environment(&request).unwrap()
}

#[test]
fn a_kept_environment_with_its_worktree() {
    let place = Place::new();
    let environment = kept(&place);
    let reports = place.allocator.who_environment(environment.id()).unwrap();
    assert_eq!(reports.iter().map(|report| report.port).collect::<Vec<_>>(), environment.ports());
    for report in &reports {
        assert!(matches!(report.usage, PortUsage::Kept { id, .. } if id == environment.id()), "{report:?}");
        assert_eq!(report.record.as_deref(), Some(environment.record()));
        let said = report.to_string();
        assert!(said.contains(&format!("environment {}", environment.id())), "{said}");
        assert!(said.contains(&environment.record().worktree_path.display().to_string()), "{said}");
    }
    environment.cleanup().unwrap();
    assert_eq!(place.allocator.who_environment(environment.id()).unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn a_damaged_label_is_seen_through_and_left_as_it_is() {
    let place = Place::new();
    let environment = kept(&place);
    let path = place.world.ports_file();
    let port = *environment.ports().first().unwrap();
    place.world.scribble(port, 0, b"scribble");
    let before = std::fs::read(&path).unwrap();
    let report = place.allocator.who([port]).unwrap().remove(0);
    assert!(matches!(report.usage, PortUsage::Kept { id, .. } if id == environment.id()), "{report:?}");
    assert!(std::fs::read(&path).unwrap() == before, "looking has changed the ports file");
    environment.cleanup().unwrap();
}

#[test]
fn port_in_use_names_process_and_environment() {
    let place = Place::new();
    let environment = kept(&place);
    let port = *environment.ports().first().unwrap();
    let refusal = |port| place.allocator.lease(LeaseRequest::exact([port])).unwrap_err();
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
    place.allocator.lease(LeaseRequest::exact([port])).unwrap();
}

#[test]
fn port_0_does_not_exist() {
    let place = Place::new();
    assert_eq!(place.allocator.who([place.port(), 0]).unwrap_err().code(), ErrorCode::InvalidArgument);
    assert!(place.allocator.who([]).unwrap().is_empty());
}
