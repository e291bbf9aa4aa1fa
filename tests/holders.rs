//! Every kind of socket that can hold a port is seen, and its port is never given out: a table, so that a failure
//! names the kind. Measured reasons: the probe is one bind to `[::]` without reuse, see `core/src/probe.rs`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use portalloc::ErrorCode;
use portalloc::who::PortUsage;
use portalloc_testkit::until;
use portalloc_tests::Stage;
use socket2::{Domain, Socket, Type};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

/// Makes the sockets that hold `port`.
type Make = fn(u16) -> Vec<Socket>;

/// How a socket is set up before its bind.
#[derive(Clone, Copy)]
enum Set {
    Nothing,
    ReuseAddress,
    ReusePort,
    OnlyV6,
    Dual,
}

fn bound(kind: Type, address: &str, port: u16, set: Set) -> Socket {
    let address = SocketAddr::new(address.parse().unwrap(), port);
    let socket = Socket::new(Domain::for_address(address), kind, None).unwrap();
    match set {
        Set::Nothing => {}
        Set::ReuseAddress => socket.set_reuse_address(true).unwrap(),
        Set::ReusePort => socket.set_reuse_port(true).unwrap(),
        Set::OnlyV6 => socket.set_only_v6(true).unwrap(),
        Set::Dual => socket.set_only_v6(false).unwrap(),
    }
    socket.bind(&address.into()).unwrap();
    socket
}

fn listening(address: &str, port: u16, set: Set) -> Socket {
    let socket = bound(Type::STREAM, address, port, set);
    socket.listen(8).unwrap();
    socket
}

fn tcp(address: &str, port: u16, set: Set) -> Vec<Socket> {
    vec![bound(Type::STREAM, address, port, set)]
}

fn udp(address: &str, port: u16, set: Set) -> Vec<Socket> {
    vec![bound(Type::DGRAM, address, port, set)]
}

/// A connection from one socket to another: the client, and what accepted it.
fn connect(client: Socket, server: &Socket) -> [Socket; 2] {
    client.connect(&server.local_addr().unwrap()).unwrap();
    let (accepted, _) = server.accept().unwrap();
    [client, accepted]
}

fn client(address: IpLoopback) -> Socket {
    let domain = match address {
        IpLoopback::V4 => Domain::IPV4,
        IpLoopback::V6 => Domain::IPV6,
    };
    Socket::new(domain, Type::STREAM, None).unwrap()
}

#[derive(Clone, Copy)]
enum IpLoopback {
    V4,
    V6,
}

impl IpLoopback {
    fn address(self) -> &'static str {
        match self {
            Self::V4 => "127.0.0.1",
            Self::V6 => "::1",
        }
    }
}

/// The port of an outgoing connection.
fn outgoing(port: u16, ip: IpLoopback, set: Set) -> Vec<Socket> {
    let server = listening(ip.address(), 0, Set::Nothing);
    let [client, accepted] = connect(bound(Type::STREAM, ip.address(), port, set), &server);
    vec![client, accepted]
}

/// A connection that was accepted on the port and outlives its listener.
fn accepted(port: u16, ip: IpLoopback) -> Vec<Socket> {
    let server = listening(ip.address(), port, Set::ReuseAddress);
    connect(client(ip), &server).into()
}

/// Both ends closed, the server's first: the kernel keeps the port for a minute.
fn time_wait(port: u16, ip: IpLoopback) -> Vec<Socket> {
    let [client, accepted] = accepted(port, ip).try_into().unwrap();
    drop(accepted);
    drop(client);
    Vec::new()
}

fn connected_udp(port: u16, address: &str) -> Vec<Socket> {
    let other = bound(Type::DGRAM, address, 0, Set::Nothing);
    let socket = bound(Type::DGRAM, address, port, Set::Nothing);
    socket.connect(&other.local_addr().unwrap()).unwrap();
    vec![socket, other]
}

const TCP: &[(&str, Make)] = &[
    ("listening on 127.0.0.1", |port| vec![listening("127.0.0.1", port, Set::Nothing)]),
    ("listening on 127.0.0.2", |port| vec![listening("127.0.0.2", port, Set::Nothing)]),
    ("listening on ::1", |port| vec![listening("::1", port, Set::Nothing)]),
    ("listening on 0.0.0.0", |port| vec![listening("0.0.0.0", port, Set::Nothing)]),
    ("listening on [::] for IPv6 only", |port| vec![listening("::", port, Set::OnlyV6)]),
    ("listening on [::] for both", |port| vec![listening("::", port, Set::Dual)]),
    ("listening on ::ffff:127.0.0.1", |port| vec![listening("::ffff:127.0.0.1", port, Set::Dual)]),
    ("listening with SO_REUSEADDR", |port| vec![listening("127.0.0.1", port, Set::ReuseAddress)]),
    ("listening on ::1 with SO_REUSEADDR", |port| vec![listening("::1", port, Set::ReuseAddress)]),
    ("listening with SO_REUSEPORT", |port| vec![listening("127.0.0.1", port, Set::ReusePort)]),
    ("two listening with SO_REUSEPORT", |port| {
        vec![listening("0.0.0.0", port, Set::ReusePort), listening("0.0.0.0", port, Set::ReusePort)]
    }),
    ("bound to 127.0.0.1", |port| tcp("127.0.0.1", port, Set::Nothing)),
    ("bound to 127.0.0.1 with SO_REUSEADDR", |port| tcp("127.0.0.1", port, Set::ReuseAddress)),
    ("bound to 127.0.0.1 with SO_REUSEPORT", |port| tcp("127.0.0.1", port, Set::ReusePort)),
    ("bound to 0.0.0.0", |port| tcp("0.0.0.0", port, Set::Nothing)),
    ("bound to 0.0.0.0 with SO_REUSEADDR", |port| tcp("0.0.0.0", port, Set::ReuseAddress)),
    ("bound to ::1", |port| tcp("::1", port, Set::Nothing)),
    ("bound to ::1 with SO_REUSEADDR", |port| tcp("::1", port, Set::ReuseAddress)),
    ("bound to [::] for IPv6 only", |port| tcp("::", port, Set::OnlyV6)),
    ("bound to [::] for both", |port| tcp("::", port, Set::Dual)),
    ("outgoing from 127.0.0.1", |port| outgoing(port, IpLoopback::V4, Set::Nothing)),
    ("outgoing from 127.0.0.1 with SO_REUSEADDR", |port| outgoing(port, IpLoopback::V4, Set::ReuseAddress)),
    ("outgoing from ::1", |port| outgoing(port, IpLoopback::V6, Set::Nothing)),
    ("accepted on 127.0.0.1, listener closed", |port| accepted(port, IpLoopback::V4)),
    ("accepted on ::1, listener closed", |port| accepted(port, IpLoopback::V6)),
];

const UDP: &[(&str, Make)] = &[
    ("127.0.0.1", |port| udp("127.0.0.1", port, Set::Nothing)),
    ("127.0.0.2", |port| udp("127.0.0.2", port, Set::Nothing)),
    ("::1", |port| udp("::1", port, Set::Nothing)),
    ("0.0.0.0", |port| udp("0.0.0.0", port, Set::Nothing)),
    ("[::] for IPv6 only", |port| udp("::", port, Set::OnlyV6)),
    ("[::] for both", |port| udp("::", port, Set::Dual)),
    ("127.0.0.1 with SO_REUSEADDR", |port| udp("127.0.0.1", port, Set::ReuseAddress)),
    ("0.0.0.0 with SO_REUSEPORT", |port| udp("0.0.0.0", port, Set::ReusePort)),
    ("::1 with SO_REUSEADDR", |port| udp("::1", port, Set::ReuseAddress)),
    ("connected from 127.0.0.1", |port| connected_udp(port, "127.0.0.1")),
    ("connected from ::1", |port| connected_udp(port, "::1")),
];

/// What is held is in the middle of a pool of three, so that it is also in the way of every run of two.
fn is_never_given_out(world: &Stage, kind: &str, protocol: &'static str) {
    let allocator = world.allocator();
    let port = world.ports()[1];
    let states = allocator.check([port]).unwrap();
    assert_eq!(states[0].usage, PortUsage::Bound { protocol }, "{protocol} {kind}");
    assert!(!allocator.is_free(port).unwrap(), "{protocol} {kind}");
    let census = allocator.census().unwrap();
    assert_eq!((census.foreign, census.free), (1, 2), "{protocol} {kind}");
    let error = allocator.lease(portalloc::LeaseRequest::exact([port])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::PortInUse, "{protocol} {kind}: {error}");
    assert_eq!(error.ports()[0].port, port);
    for count in [2, 3] {
        let error = allocator.lease(count).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PoolExhausted, "{protocol} {kind}: {error}");
    }
    let mut had = [allocator.lease(1).unwrap().base_port(), 0];
    let first = allocator.lease(portalloc::LeaseRequest::exact([had[0]])).unwrap();
    had[1] = allocator.lease(1).unwrap().base_port();
    assert!(!had.contains(&port), "{protocol} {kind}: {port} was given out");
    drop(first);
}

#[test]
fn every_tcp_holder_is_seen() {
    let world = Stage::alone(ACTOR, 3);
    let allocator = world.allocator();
    let port = world.ports()[1];
    for (kind, make) in TCP {
        let sockets = make(port);
        is_never_given_out(&world, kind, "tcp");
        close_without_a_trace(sockets);
        until("the port is free again", || allocator.is_free(port).unwrap());
    }
}

#[test]
fn every_udp_holder_is_seen() {
    let world = Stage::alone(ACTOR, 3);
    for (kind, make) in UDP {
        let sockets = make(world.ports()[1]);
        is_never_given_out(&world, kind, "udp");
        drop(sockets);
        assert!(world.allocator().is_free(world.ports()[1]).unwrap(), "udp {kind}");
    }
}

#[test]
fn a_port_in_time_wait_is_seen() {
    for ip in [IpLoopback::V4, IpLoopback::V6] {
        // A world for each, since the port stays as it is for a minute.
        let world = Stage::alone(ACTOR, 3);
        time_wait(world.ports()[1], ip);
        is_never_given_out(&world, ip.address(), "tcp");
        assert!(std::net::TcpListener::bind((ip.address(), world.ports()[1])).is_ok(), "it is no more than TIME_WAIT");
    }
}

#[test]
fn a_leased_port_can_be_bound_in_every_way() {
    let world = Stage::alone(ACTOR, 1);
    let allocator = world.allocator();
    for (kind, make) in TCP.iter().chain(UDP) {
        let lease = allocator.lease(1).unwrap();
        close_without_a_trace(make(lease.base_port()));
        drop(lease);
        until(kind, || allocator.is_free(world.base()).unwrap());
    }
    for kind in [Type::STREAM, Type::DGRAM] {
        let lease = allocator.lease(1).unwrap();
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, lease.base_port()));
        let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, lease.base_port()));
        let sockets = [v4, v6].map(|address| {
            let socket = Socket::new(Domain::for_address(address), kind, None).unwrap();
            if address.is_ipv6() {
                socket.set_only_v6(true).unwrap();
            }
            socket.bind(&address.into()).unwrap();
            socket
        });
        drop(sockets);
    }
}

/// A connection is reset, since an orderly end would keep the port for another minute.
fn close_without_a_trace(sockets: Vec<Socket>) {
    for socket in &sockets {
        if socket.r#type().unwrap() == Type::STREAM {
            socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        }
    }
}
