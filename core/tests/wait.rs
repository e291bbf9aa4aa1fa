//! Waiting for servers through the library's own door. That a wait has begun is known by what it does: another thread
//! that waits for a port has been refused before the server starts, or the port's lock has been tried.

#![expect(clippy::unwrap_used, reason = "in helpers of tests, too, a failure is a failed test")]

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use portalloc::environment::EnvFile;
use portalloc::{Allocator, EnvironmentRequest, ErrorCode, LeaseRequest};
use portalloc_testkit::{PATIENCE, World, until};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// How long a wait that must fail looks: some looks, however busy the machine is.
const GLANCE: Duration = Duration::from_millis(20);

/// A world, and an allocator in it.
struct Place {
    world: World,
    allocator: Allocator,
    ports: Vec<u16>,
}

impl Place {
    fn new(count: usize) -> Self {
        let world = World::new(count);
        Self { allocator: world.allocator(), ports: world.ports().to_vec(), world }
    }

    /// Why a wait for servers failed.
    fn closed(&self, ports: &[u16]) -> String {
        let error = self.allocator.wait_until_open(ports, GLANCE).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
        assert!(!error.remedy().is_empty());
        error.message().to_owned()
    }

    /// Why a wait for free ports failed.
    fn bound(&self, ports: &[u16]) -> String {
        let error = self.allocator.wait_until_free(ports, GLANCE).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
        assert!(!error.remedy().is_empty());
        error.message().to_owned()
    }
}

/// A listener that takes one connection and then tells so: the first look of a wait has been there.
fn first_look(listener: TcpListener) -> mpsc::Receiver<()> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let looked = listener.accept();
        assert!(looked.is_ok() && send.send(()).is_ok());
    });
    receive
}

#[test]
fn one_family_is_enough() {
    let place = Place::new(3);
    for (address, port) in [(V4, place.ports[0]), (V6, place.ports[1])] {
        let listener = TcpListener::bind((address, port)).unwrap();
        place.allocator.wait_until_open(&[port], PATIENCE).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), address);
    }
    let _all = TcpListener::bind((Ipv6Addr::UNSPECIFIED, place.ports[2])).unwrap();
    place.allocator.wait_until_open(&[place.ports[2]], Duration::ZERO).unwrap();
}

#[test]
fn a_look_without_waiting_sees_what_is_there_at_once() {
    let place = Place::new(1);
    let message = place.allocator.wait_until_open(&place.ports, Duration::ZERO).unwrap_err();
    let port = place.ports[0];
    assert_eq!(message.message(), format!("waited 0s: port {port}: connection refused on 127.0.0.1 and ::1"));
    let _listener = TcpListener::bind((V4, port)).unwrap();
    place.allocator.wait_until_open(&place.ports, Duration::ZERO).unwrap();
}

#[test]
fn a_server_that_starts_later_is_waited_for() {
    let place = Place::new(2);
    let [there, later] = place.ports[..] else { panic!("two ports") };
    let looked = first_look(TcpListener::bind((V4, there)).unwrap());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| place.allocator.wait_until_open(&[later, there], PATIENCE));
        // Both ports are looked at in one round, and the first is looked at first.
        looked.recv_timeout(PATIENCE).unwrap();
        let _listener = TcpListener::bind((V6, later)).unwrap();
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn what_never_opens_is_named_with_what_was_seen() {
    let place = Place::new(5);
    let ports = &place.ports;
    let _open = TcpListener::bind((V4, ports[1])).unwrap();
    let (a, b, c) = (ports[0], ports[2], ports[4]);
    let message = place.closed(ports);
    assert_eq!(
        message,
        format!("waited 20ms: ports {a},{b}-{c}: connection refused on 127.0.0.1 and ::1"),
        "the one that is open is not named"
    );
    assert_eq!(place.closed(&[a, a]), format!("waited 20ms: port {a}: connection refused on 127.0.0.1 and ::1"));
}

#[test]
fn a_port_that_is_bound_but_does_not_listen_is_not_open() {
    let place = Place::new(2);
    let _udp = UdpSocket::bind((V4, place.ports[0])).unwrap();
    let _guard = bound(SocketAddr::from((V4, place.ports[1])), false);
    assert!(place.closed(&place.ports).contains("connection refused on 127.0.0.1 and ::1"));
}

#[test]
fn a_server_that_takes_no_more_connections_gives_no_answer() {
    let place = Place::new(1);
    let address = SocketAddr::from((V4, place.ports[0]));
    let listener = bound(address, true);
    // A queue of length 0 takes one connection; what comes then is dropped by the kernel, without an answer.
    listener.listen(0).unwrap();
    let _first = TcpStream::connect(address).unwrap();
    let message = place.closed(&place.ports);
    assert!(message.ends_with("no answer on 127.0.0.1, connection refused on ::1"), "{message}");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| place.allocator.wait_until_open(&place.ports, PATIENCE));
        let unanswered = format!(":{:04X} 02 ", place.ports[0]);
        until("a connection is not answered", || fs::read_to_string("/proc/net/tcp").unwrap().contains(&unanswered));
        assert!(!waiting.is_finished());
        let _first = listener.accept().unwrap();
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn free_waits_until_the_listener_is_closed() {
    let place = Place::new(1);
    let port = place.ports[0];
    let listener = TcpListener::bind((V4, port)).unwrap();
    assert_eq!(place.bound(&[port]), format!("waited 20ms: port {port}: still bound (tcp)"));
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let waiting = scope.spawn(|| {
            let send = send;
            send.send(fs::read_link("/proc/thread-self").unwrap()).unwrap();
            place.allocator.wait_until_free(&[port], PATIENCE)
        });
        // The pause after the first look is the one thing in it that sleeps.
        let stat = Path::new("/proc").join(receive.recv().unwrap()).join("stat");
        until("the other thread sleeps", || fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") S ")));
        assert!(!waiting.is_finished(), "the listener is still there");
        drop(listener);
        waiting.join().unwrap().unwrap();
    });
    assert!(place.allocator.is_free(port).unwrap());
}

#[test]
fn free_means_every_kind_of_socket() {
    let place = Place::new(4);
    let [udp, guard, v6, free] = place.ports[..] else { panic!("four ports") };
    let _udp = UdpSocket::bind((V6, udp)).unwrap();
    let _guard = bound(SocketAddr::from((V4, guard)), true);
    let _v6 = TcpListener::bind((V6, v6)).unwrap();
    let message = place.bound(&place.ports);
    assert_eq!(message, format!("waited 20ms: ports {guard}-{v6}: still bound (tcp); port {udp}: still bound (udp)"));
    place.allocator.wait_until_free(&[free], Duration::ZERO).unwrap();
}

#[test]
fn time_wait_is_not_free() {
    let place = Place::new(1);
    let port = place.ports[0];
    let listener = TcpListener::bind((V4, port)).unwrap();
    let client = TcpStream::connect((V4, port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    // The server's side closes first, so TIME_WAIT is on its port.
    drop(server);
    drop(client);
    drop(listener);
    assert_eq!(place.bound(&[port]), format!("waited 20ms: port {port}: still bound (tcp)"));
}

#[test]
fn a_lease_is_no_obstacle_only_sockets_are() {
    let place = Place::new(2);
    let lease = place.allocator.lease(LeaseRequest::exact(place.ports.clone())).unwrap();
    place.allocator.wait_until_free(&place.ports, Duration::ZERO).unwrap();
    let listener = TcpListener::bind((V6, place.ports[1])).unwrap();
    assert_eq!(place.bound(&place.ports), format!("waited 20ms: port {}: still bound (tcp)", place.ports[1]));
    drop(listener);
    place.allocator.wait_until_free(&place.ports, Duration::ZERO).unwrap();
    assert!(!lease.is_released());
}

#[test]
fn an_environment_is_waited_for_by_its_ports() {
    let place = Place::new(2);
    let allocator = place.allocator;
    let request = EnvironmentRequest::new().kept().ports(2).env_file(EnvFile::None);
    let environment = allocator.create_environment(&request.worktree(place.world.work())).unwrap();
    let ports = allocator.environment_ports(environment.id()).unwrap();
    assert_eq!(ports, environment.ports());
    allocator.wait_until_free(&ports, Duration::ZERO).unwrap();
    let listeners: Vec<_> = ports.iter().map(|port| TcpListener::bind((V4, *port)).unwrap()).collect();
    allocator.wait_until_open(&ports, PATIENCE).unwrap();
    let seen = allocator.wait_until_free(&ports, Duration::ZERO).unwrap_err();
    assert!(seen.message().contains("still bound (tcp)"), "{seen}");
    drop(listeners);
    environment.cleanup().unwrap();
    assert_eq!(allocator.environment_ports(environment.id()).unwrap_err().code(), ErrorCode::NotFound);
}

#[test]
fn no_port_and_port_zero_are_refused() {
    let place = Place::new(1);
    for bad in [&[][..], &[0], &[place.ports[0], 0]] {
        for result in [place.allocator.wait_until_open(bad, PATIENCE), place.allocator.wait_until_free(bad, PATIENCE)] {
            assert_eq!(result.unwrap_err().code(), ErrorCode::InvalidArgument, "{bad:?}");
        }
    }
}

#[test]
fn no_limit_is_too_long() {
    let place = Place::new(1);
    place.allocator.wait_until_free(&place.ports, Duration::MAX).unwrap();
    let _listener = TcpListener::bind((V4, place.ports[0])).unwrap();
    place.allocator.wait_until_open(&place.ports, Duration::MAX).unwrap();
}

/// A socket that is bound and does not listen.
fn bound(address: SocketAddr, reuse: bool) -> socket2::Socket {
    let make = || -> io::Result<socket2::Socket> {
        let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
        socket.set_reuse_address(reuse)?;
        socket.bind(&address.into())?;
        Ok(socket)
    };
    make().unwrap()
}
