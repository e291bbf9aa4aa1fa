//! What can be done with a lease while it is held: guard its ports, hand its sockets to a server, pass it on to other
//! processes; and the ways to ask for one that are not one run of ports.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper of tests: a failure is a failed test")]

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use portalloc::{Allocator, Error, ErrorCode, GuardState, Lease, LeaseRequest, ServerSocket, SocketOptions};
use portalloc_testkit::{Process, until};
use portalloc_tests::{Actor, Stage, judge};
use rustix::io::{FdFlags, fcntl_getfd};
use rustix::process::{Pid, Signal, kill_process};
use socket2::{Domain, Socket, Type};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const ANY_V6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);

/// From TEST-NET-1: no machine has it.
const FOREIGN: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// What a stranger's program does.
fn bind(address: IpAddr, port: u16, kind: Type, reuse: bool) -> io::Result<Socket> {
    let address = SocketAddr::new(address, port);
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_reuse_address(reuse)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What most servers do.
fn serve(address: IpAddr, port: u16) -> io::Result<Socket> {
    let socket = bind(address, port, Type::STREAM, true)?;
    socket.listen(5)?;
    Ok(socket)
}

/// Who gets in: a bind without reuse, one with, a UDP one.
fn gets_in(port: u16) -> [bool; 3] {
    [V4, ANY, V6]
        .map(|address| {
            let plain = bind(address, port, Type::STREAM, false).is_ok();
            let reuse = serve(address, port).is_ok();
            let udp = [false, true].map(|reuse| bind(address, port, Type::DGRAM, reuse).is_ok());
            assert_eq!(udp[0], udp[1], "UDP with reuse on {address}");
            (plain, reuse, udp[0])
        })
        .into_iter()
        .reduce(|one, other| {
            assert_eq!(one, other, "the addresses differ");
            one
        })
        .map(|(plain, reuse, udp)| [plain, reuse, udp])
        .unwrap()
}

fn refuses(address: IpAddr, port: u16) -> bool {
    TcpStream::connect((address, port)).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn code<T: std::fmt::Debug>(done: Result<T, Error>) -> ErrorCode {
    done.unwrap_err().code()
}

/// Descriptors of this process are those of other tests, too; so are ports, which are told apart by the pool.
fn can_be_leased(allocator: &Allocator, ports: &[u16]) -> bool {
    allocator.lease(LeaseRequest::exact(ports.iter().copied())).is_ok()
}

/// Ends a thief's loop, also when something fails: else it would go on for ever.
struct StopWhenDone<'a>(&'a AtomicBool);

impl Drop for StopWhenDone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

mod guards {
    use super::*;

    #[test]
    fn each_state_keeps_off_whom_it_says() {
        let world = Stage::alone(ACTOR, 2);
        let lease = world.allocator().lease(2).unwrap();
        let expect = |state: GuardState, allowed: [bool; 3]| {
            assert_eq!(lease.guard_state(), state);
            for port in lease.ports() {
                assert_eq!(gets_in(*port), allowed, "{state:?}");
                assert!(refuses(V4, *port) && refuses(V6, *port), "{state:?}");
            }
        };
        expect(GuardState::None, [true, true, true]);
        lease.share_guard().unwrap();
        expect(GuardState::None, [true, true, true]);
        lease.guard().unwrap();
        expect(GuardState::Exclusive, [false, false, false]);
        lease.share_guard().unwrap();
        expect(GuardState::Shared, [false, true, true]);
        lease.share_guard().unwrap();
        expect(GuardState::Shared, [false, true, true]);
        lease.guard().unwrap();
        lease.guard().unwrap();
        expect(GuardState::Exclusive, [false, false, false]);
        lease.drop_guard();
        expect(GuardState::None, [true, true, true]);
        lease.drop_guard();
        lease.guard().unwrap();
        expect(GuardState::Exclusive, [false, false, false]);
    }

    #[test]
    fn a_request_may_ask_for_one_of_every_shape() {
        let world = Stage::alone(ACTOR, 20);
        let allocator = world.allocator();
        let base = world.base();
        let shapes = [
            LeaseRequest::run(3),
            LeaseRequest::scattered(3),
            LeaseRequest::offsets([0, 2, 5]),
            LeaseRequest::exact([base + 7, base, base + 3]),
        ];
        for request in shapes {
            let lease = allocator.lease(request.clone().guard(true)).unwrap();
            assert_eq!(lease.guard_state(), GuardState::Exclusive);
            for port in lease.ports() {
                assert_eq!(gets_in(*port), [false; 3], "{request:?}");
            }
            let guarded = lease.ports().to_vec();
            let others = world.ports().iter().filter(|port| !guarded.contains(port));
            others.for_each(|port| assert_eq!(gets_in(*port), [true; 3], "{port} is not of {request:?}"));
            lease.share_guard().unwrap();
            guarded.iter().for_each(|port| assert_eq!(gets_in(*port), [false, true, true]));
        }
        for port in world.ports() {
            assert_eq!(gets_in(*port), [true; 3], "the guard went with its lease");
        }
    }

    /// The sockets of the probe are the guard, so there is no first moment to get in.
    #[test]
    fn one_asked_for_is_there_from_the_first_moment() {
        let world = Stage::alone(ACTOR, 1);
        let (allocator, port) = (world.allocator(), world.base());
        let (stop, stolen) = (AtomicBool::new(false), AtomicU32::new(0));
        let lease = thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    stolen.fetch_add(u32::from(bind(V4, port, Type::STREAM, false).is_ok()), Ordering::Relaxed);
                }
            });
            let _stop = StopWhenDone(&stop);
            let mut held = None;
            for _ in 0..300 {
                drop(held.take());
                // The thief may hold the port when it is probed.
                held = loop {
                    match allocator.lease(LeaseRequest::run(1).guard(true)) {
                        Ok(lease) => break Some(lease),
                        Err(error) => assert_eq!(error.code(), ErrorCode::PoolExhausted),
                    }
                };
                assert!(bind(V4, port, Type::STREAM, false).is_err());
                let before = stolen.load(Ordering::Relaxed);
                assert!(bind(ANY, port, Type::STREAM, false).is_err());
                // One attempt may have been counted late.
                assert!(stolen.load(Ordering::Relaxed) <= before + 1);
            }
            held
        });
        assert!(bind(V4, port, Type::STREAM, false).is_err());
        drop(lease);
        assert!(bind(V4, port, Type::STREAM, false).is_ok());
    }

    #[test]
    fn a_stranger_who_was_there_first_is_told_of_and_nothing_changes() {
        let world = Stage::alone(ACTOR, 3);
        let lease = world.allocator().lease(3).unwrap();
        let ports = lease.ports();
        for kind in [Type::STREAM, Type::DGRAM] {
            let stranger = bind(V4, ports[1], kind, false).unwrap();
            let error = lease.guard().unwrap_err();
            assert_eq!(error.code(), ErrorCode::PortInUse);
            assert!(error.to_string().contains(&ports[1].to_string()), "{error}");
            assert_eq!(lease.guard_state(), GuardState::None);
            for port in [ports[0], ports[2]] {
                assert_eq!(gets_in(port), [true; 3], "after a guard that failed");
            }
            drop(stranger);
        }
        lease.guard().unwrap();
        assert_eq!(gets_in(ports[0]), [false; 3]);
    }

    #[test]
    fn one_that_cannot_be_shut_again_stays_open_everywhere() {
        let world = Stage::alone(ACTOR, 3);
        let lease = world.allocator().lease(3).unwrap();
        lease.guard().unwrap();
        lease.share_guard().unwrap();
        let stranger = bind(V4, lease.ports()[1], Type::DGRAM, false).unwrap();
        assert_eq!(code(lease.guard()), ErrorCode::PortInUse);
        assert_eq!(lease.guard_state(), GuardState::Shared);
        for index in [0, 2] {
            assert_eq!(gets_in(lease.ports()[index]), [false, true, true], "port {index}, after a guard that failed");
        }
        drop(stranger);
        lease.guard().unwrap();
        assert_eq!(gets_in(lease.ports()[1]), [false; 3]);
    }

    #[test]
    fn a_live_server_is_not_disturbed_by_round_trips() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(LeaseRequest::run(1).guard(true)).unwrap();
        let port = lease.base_port();
        assert!(serve(V4, port).is_err(), "it is shut");
        lease.share_guard().unwrap();
        let server = TcpListener::from(serve(V4, port).unwrap());
        let answers = || {
            let client = TcpStream::connect((V4, port)).unwrap();
            let (_, peer) = server.accept().unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
        };
        for _ in 0..3 {
            answers();
            // It may say no, as there is a server; or shut out everybody else. The server goes on in any case.
            match lease.guard() {
                Ok(()) => assert_eq!(lease.guard_state(), GuardState::Exclusive),
                Err(error) => {
                    assert_eq!((error.code(), lease.guard_state()), (ErrorCode::PortInUse, GuardState::Shared));
                }
            }
            answers();
            assert!(serve(V6, port).is_err() || lease.guard_state() == GuardState::Shared);
            lease.share_guard().unwrap();
            assert_eq!(lease.guard_state(), GuardState::Shared);
            assert!(serve(V6, port).is_ok());
        }
        lease.drop_guard();
        answers();
        assert_eq!(code(lease.guard()), ErrorCode::PortInUse, "its own server is in the way of a new one");
        answers();
    }

    #[test]
    fn a_release_takes_it_away() {
        let world = Stage::alone(ACTOR, 2);
        let allocator = world.allocator();
        for open in [false, true] {
            let lease = allocator.lease(LeaseRequest::run(2).guard(true)).unwrap();
            if open {
                lease.share_guard().unwrap();
            }
            lease.release();
            assert_eq!(lease.guard_state(), GuardState::None);
            lease.ports().iter().for_each(|port| assert_eq!(gets_in(*port), [true; 3]));
            assert_eq!(code(lease.guard()), ErrorCode::InvalidArgument);
            assert_eq!(code(lease.share_guard()), ErrorCode::InvalidArgument);
            lease.drop_guard();
            assert!(can_be_leased(&allocator, world.ports()));
        }
    }

    #[test]
    fn it_is_no_obstacle_to_the_next_holder() {
        let world = Stage::alone(ACTOR, 5);
        let allocator = world.allocator();
        for _ in 0..200 {
            drop(allocator.lease(LeaseRequest::run(5).guard(true)).unwrap());
        }
        let held = allocator.lease(LeaseRequest::run(3).guard(true)).unwrap();
        let other = allocator.lease(LeaseRequest::scattered(2).guard(true)).unwrap();
        assert_eq!(code(allocator.lease(LeaseRequest::scattered(1).guard(true))), ErrorCode::PoolExhausted);
        drop((held, other));
        assert!(can_be_leased(&allocator, world.ports()));
    }

    #[test]
    fn it_goes_with_its_process() {
        let world = Stage::alone(ACTOR, 2);
        let mut actor = world.actor();
        let ports = actor.lease("lease 2 guarded");
        assert_eq!(gets_in(ports[0]), [false; 3]);
        actor.kill();
        until("the guard is gone", || ports.iter().all(|port| gets_in(*port) == [true; 3]));
    }

    #[test]
    fn one_made_beside_a_release_does_not_outlive_it() {
        let world = Stage::alone(ACTOR, 5);
        let allocator = world.allocator();
        for round in 0..500 {
            let lease = allocator.lease(5).unwrap();
            let begin = std::sync::Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    begin.wait();
                    // It comes before or after the release; or it is refused by what the release has freed.
                    let _ = lease.guard();
                });
                begin.wait();
                lease.release();
            });
            assert_eq!(gets_in(world.base()), [true; 3], "round {round}");
            drop(lease);
        }
    }

    #[test]
    fn at_the_descriptor_limit_nothing_leaks() {
        let world = Stage::alone(ACTOR, 20);
        let mut actor = world.actor();
        actor.lease("lease 20");
        let before = actor.ok("descriptors").as_u64().unwrap();
        for spare in [1, 2, 7, 20, 39] {
            // The descriptor of the look was counted, too.
            actor.ok(&format!("limit {}", before - 1 + spare));
            let failure = actor.fails("guard 0 to shut", "io");
            assert!(failure.message.contains("open files") || failure.message.contains("descriptor"), "{failure:?}");
            actor.ok("limit 1000");
            assert_eq!(actor.ok("descriptors"), before, "with {spare} to spare");
            assert_eq!(gets_in(world.base()), [true; 3]);
        }
        actor.ok(&format!("limit {}", before - 1 + 40));
        assert_eq!(actor.ok("guard 0 to shut"), "Exclusive");
        assert_eq!(gets_in(world.base()), [false; 3]);
        actor.fails("socket 0", "io");
        actor.ok("guard 0 to none");
        assert_eq!(actor.ok("descriptors"), before);
        // So with one asked for from the start; its lease does not stay either.
        actor.ok("drop 0");
        for spare in [1, 5, 20] {
            actor.ok(&format!("limit {}", before - 1 + spare));
            actor.fails("lease 20 guarded", "io");
            actor.ok("limit 1000");
            assert_eq!(actor.ok("descriptors"), before - 1, "with {spare} to spare");
            assert!(can_be_leased(&world.allocator(), world.ports()));
        }
        actor.lease("lease 20 guarded");
    }
}

mod sockets_for_servers {
    use super::*;

    fn local(socket: &ServerSocket) -> SocketAddr {
        socket.local_addr().unwrap()
    }

    fn is_listening(socket: &ServerSocket) -> bool {
        Socket::from(socket.as_fd().try_clone_to_owned().unwrap()).is_listener().unwrap()
    }

    #[test]
    fn tcp_listens_on_loopback_unless_told_otherwise() {
        let world = Stage::alone(ACTOR, 3);
        let lease = world.allocator().lease(3).unwrap();
        let port = lease.ports()[2];
        let socket = lease.socket(2, &SocketOptions::tcp()).unwrap();
        assert_eq!(local(&socket), SocketAddr::new(V4, port));
        assert!(is_listening(&socket));
        assert!(fcntl_getfd(socket.as_fd()).unwrap().contains(FdFlags::CLOEXEC));
        assert!(TcpStream::connect((V4, port)).is_ok() && refuses(V6, port));
        let sixth = lease.socket(2, &SocketOptions::tcp().address(V6)).unwrap();
        assert_eq!(local(&sixth), SocketAddr::new(V6, port));
        assert!(TcpStream::connect((V6, port)).is_ok());
        drop((socket, sixth));
        assert!(refuses(V4, port));
        let any = lease.socket(2, &SocketOptions::tcp().address(ANY_V6)).unwrap();
        assert_eq!(local(&any), SocketAddr::new(ANY_V6, port));
        assert!(TcpStream::connect((V4, port)).is_ok() && TcpStream::connect((V6, port)).is_ok(), "both families");
    }

    #[test]
    fn a_bound_one_refuses_connections_until_its_server_listens() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(1).unwrap();
        let socket = lease.socket(0, &SocketOptions::tcp().listen(false)).unwrap();
        assert!(!is_listening(&socket) && refuses(V4, lease.base_port()));
        assert!(bind(V4, lease.base_port(), Type::STREAM, false).is_err());
        Socket::from(socket.as_fd().try_clone_to_owned().unwrap()).listen(5).unwrap();
        assert!(TcpStream::connect((V4, lease.base_port())).is_ok());
    }

    #[test]
    fn udp_receives() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(LeaseRequest::run(1).guard(true)).unwrap();
        for address in [V4, V6] {
            let socket = UdpSocket::from(lease.socket(0, &SocketOptions::udp().address(address)).unwrap());
            assert_eq!(socket.local_addr().unwrap(), SocketAddr::new(address, lease.base_port()));
            UdpSocket::bind((address, 0)).unwrap().send_to(b"here", socket.local_addr().unwrap()).unwrap();
            socket.set_read_timeout(Some(portalloc_testkit::PATIENCE)).unwrap();
            let mut read = [0; 8];
            assert_eq!(socket.recv(&mut read).unwrap(), 4);
            assert!(bind(address, lease.base_port(), Type::DGRAM, true).is_err(), "nobody may share it");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let world = Stage::alone(ACTOR, 2);
        let allocator = world.allocator();
        let lease = allocator.lease(2).unwrap();
        let error = lease.socket(2, &SocketOptions::tcp()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.to_string().contains("index 2") && error.to_string().contains("0 to 1"), "{error}");
        let error = lease.socket(0, &SocketOptions::tcp().address(FOREIGN)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.to_string().contains("192.0.2.1"), "{error}");
        let stranger = serve(V4, lease.ports()[1]).unwrap();
        assert_eq!(code(lease.socket(1, &SocketOptions::tcp())), ErrorCode::PortInUse);
        drop(stranger);
        lease.release();
        for options in [SocketOptions::tcp(), SocketOptions::udp()] {
            assert_eq!(code(lease.socket(0, &options)), ErrorCode::InvalidArgument);
        }
        assert_eq!(code(lease.listeners(0)), ErrorCode::InvalidArgument);
        assert!(can_be_leased(&allocator, world.ports()));
    }

    #[test]
    fn one_that_fails_opens_no_guard() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(LeaseRequest::run(1).guard(true)).unwrap();
        assert_eq!(code(lease.socket(0, &SocketOptions::tcp().address(FOREIGN))), ErrorCode::InvalidArgument);
        assert_eq!(lease.guard_state(), GuardState::Exclusive);
        assert_eq!(gets_in(lease.base_port()), [false; 3], "after a TCP socket that could not be passed");
        assert_eq!(code(lease.socket(0, &SocketOptions::udp().address(FOREIGN))), ErrorCode::InvalidArgument);
        assert_eq!(gets_in(lease.base_port()), [false; 3], "after a UDP socket that could not be passed");
    }

    #[test]
    fn the_guard_of_the_other_ports_stays_shut() {
        let world = Stage::alone(ACTOR, 3);
        let lease = world.allocator().lease(LeaseRequest::run(3).guard(true)).unwrap();
        let _tcp = lease.socket(1, &SocketOptions::tcp()).unwrap();
        for index in [0, 2] {
            assert_eq!(gets_in(lease.ports()[index]), [false; 3]);
        }
    }

    /// It is what strangers meet that it tells, not what was asked for last.
    #[test]
    fn the_guard_is_told_to_be_open_once_no_port_is_shut() {
        let world = Stage::alone(ACTOR, 2);
        let lease = world.allocator().lease(LeaseRequest::run(2).guard(true)).unwrap();
        drop(lease.socket(0, &SocketOptions::tcp()).unwrap());
        assert_eq!(lease.guard_state(), GuardState::Exclusive);
        assert_eq!(gets_in(lease.ports()[1]), [false; 3]);
        drop(lease.socket(1, &SocketOptions::tcp()).unwrap());
        assert_eq!(lease.guard_state(), GuardState::Shared);
        for port in lease.ports() {
            assert!(bind(V4, *port, Type::STREAM, true).is_ok(), "it is open");
            assert!(bind(V4, *port, Type::STREAM, false).is_err(), "it is there");
        }
        lease.guard().unwrap();
        assert_eq!(lease.guard_state(), GuardState::Exclusive);
        lease.ports().iter().for_each(|port| assert_eq!(gets_in(*port), [false; 3]));
        drop(lease.socket(0, &SocketOptions::udp()).unwrap());
        assert_eq!(lease.guard_state(), GuardState::Exclusive, "TCP is what servers bind over");
        lease.drop_guard();
        assert_eq!(lease.guard_state(), GuardState::None);
    }

    #[test]
    fn listeners_are_on_both_families() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(LeaseRequest::run(1).guard(true)).unwrap();
        let listeners = lease.listeners(0).unwrap();
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!(addresses, [V4, V6].map(|address| SocketAddr::new(address, lease.base_port())));
        lease.drop_guard();
        assert!(TcpStream::connect((V4, lease.base_port())).is_ok());
        assert!(TcpStream::connect((V6, lease.base_port())).is_ok());
    }

    /// A server that is started again meets the connections of the one before.
    #[test]
    fn its_own_time_wait_is_no_obstacle() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(1).unwrap();
        for _ in 0..3 {
            let server = TcpListener::from(lease.socket(0, &SocketOptions::tcp()).unwrap());
            let mut client = TcpStream::connect((V4, lease.base_port())).unwrap();
            drop(server.accept().unwrap());
            // Until the server's end is what closed first.
            let _ = io::copy(&mut client, &mut io::sink());
        }
    }

    #[test]
    fn over_a_guard_there_is_no_moment_in_between() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(LeaseRequest::run(1).guard(true)).unwrap();
        let port = lease.base_port();
        let (stop, tried) = (AtomicBool::new(false), AtomicU32::new(0));
        thread::scope(|scope| {
            let thief = scope.spawn(|| {
                let mut stolen = 0;
                while !stop.load(Ordering::Relaxed) {
                    for address in [V4, ANY, V6] {
                        stolen += u32::from(bind(address, port, Type::STREAM, false).is_ok());
                    }
                    tried.fetch_add(1, Ordering::Relaxed);
                }
                stolen
            });
            let _stop = StopWhenDone(&stop);
            for _ in 0..300 {
                let from = tried.load(Ordering::Relaxed);
                let socket = lease.socket(0, &SocketOptions::tcp()).unwrap();
                until("the thief has tried", || tried.load(Ordering::Relaxed) > from);
                drop(socket);
                lease.guard().unwrap();
                lease.share_guard().unwrap();
            }
            stop.store(true, Ordering::Relaxed);
            assert_eq!(thief.join().unwrap(), 0);
        });
    }
}

mod passed_on {
    use super::*;

    /// A program that has the lease, until it is dropped.
    fn program_with(lease: &Lease) -> Process {
        // Open only until the program is started: else every other program that this process starts has it, too.
        static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap();
        let _inherited = lease.inheritable().unwrap();
        Process::start(Command::new("cat").stdin(Stdio::piped())).unwrap()
    }

    #[test]
    fn it_lives_on_with_a_program_and_ends_with_it() {
        let world = Stage::alone(ACTOR, 4);
        let allocator = world.allocator();
        for drops in [false, true] {
            let lease = allocator.lease(LeaseRequest::run(3)).unwrap();
            let ports = lease.ports().to_vec();
            let program = program_with(&lease);
            if drops {
                drop(lease);
            } else {
                lease.release();
                assert!(lease.is_released());
                assert_eq!(code(lease.inheritable()), ErrorCode::InvalidArgument);
            }
            let error = allocator.lease(LeaseRequest::exact(ports.clone())).unwrap_err();
            assert_eq!(error.code(), ErrorCode::PortInUse);
            assert_eq!(code(allocator.lease(2)), ErrorCode::PoolExhausted);
            assert_eq!(allocator.census().unwrap().held, 3);
            let listed: Vec<u16> =
                allocator.list().unwrap().leases.iter().flat_map(|info| info.ports.clone()).collect();
            assert_eq!(listed, ports, "it is listed as long as it is held");
            drop(program);
            until("its ports are free", || can_be_leased(&allocator, &ports));
            assert_eq!(allocator.census().unwrap().free, 4);
            assert!(allocator.list().unwrap().leases.is_empty());
        }
    }

    #[test]
    fn the_maker_has_it_when_the_program_is_gone() {
        let world = Stage::alone(ACTOR, 3);
        let allocator = world.allocator();
        let lease = allocator.lease(3).unwrap();
        drop(program_with(&lease));
        assert!(!can_be_leased(&allocator, world.ports()));
        drop(lease);
        assert!(can_be_leased(&allocator, world.ports()), "at once");
    }

    #[test]
    fn it_outlives_the_makers_kill() {
        let world = Stage::alone(ACTOR, 3);
        let allocator = world.allocator();
        let mut actor = world.actor();
        actor.lease("lease 3");
        let child = child(&actor.ok("pass 0"));
        actor.kill();
        assert_eq!(allocator.census().unwrap().held, 3);
        assert!(!can_be_leased(&allocator, world.ports()));
        kill_process(child, Signal::KILL).unwrap();
        until("its ports are free", || can_be_leased(&allocator, world.ports()));
    }

    #[test]
    fn the_last_of_several_counts() {
        let world = Stage::alone(ACTOR, 3);
        let allocator = world.allocator();
        let lease = allocator.lease(3).unwrap();
        let (first, last) = (program_with(&lease), program_with(&lease));
        drop(lease);
        drop(first);
        assert!(!can_be_leased(&allocator, world.ports()));
        drop(last);
        until("its ports are free", || can_be_leased(&allocator, world.ports()));
    }

    #[test]
    fn its_guard_is_not_passed_on() {
        let world = Stage::alone(ACTOR, 1);
        let lease = world.allocator().lease(LeaseRequest::run(1).guard(true)).unwrap();
        let port = lease.base_port();
        let _program = program_with(&lease);
        assert_eq!(gets_in(port), [false; 3]);
        drop(lease);
        // The kernel lets the parent go on an instant before it closes what the program does not inherit.
        until("its guard is gone", || bind(ANY, port, Type::STREAM, false).is_ok());
        until("its guard is gone", || bind(ANY, port, Type::DGRAM, false).is_ok());
    }

    #[test]
    fn only_what_was_passed_on_is_inherited() {
        let world = Stage::alone(ACTOR, 4);
        let allocator = world.allocator();
        let (passed, other) = (allocator.lease(2).unwrap(), allocator.lease(2).unwrap());
        let _program = program_with(&passed);
        let ports = other.ports().to_vec();
        drop(other);
        assert!(can_be_leased(&allocator, &ports), "another lease of the same process is its own");
        drop(passed);
        assert_eq!(allocator.census().unwrap().held, 2);
    }

    #[test]
    fn a_forked_child_cannot_pass_it_on() {
        let world = Stage::alone(ACTOR, 3);
        let mut actor = world.actor();
        actor.lease("lease 3");
        let answer = actor.ok("fork pass 0;guard 0 to shut;socket 0");
        let answers = answer["answers"].as_array().unwrap();
        assert_eq!(answers[0]["error"], "unsupported", "{answers:?}");
        assert!(answers.iter().all(|answer| answer.get("error").is_some()), "{answers:?}");
        kill_process(child(&answer), Signal::KILL).unwrap();
        actor.ok("release 0");
        assert!(can_be_leased(&world.allocator(), world.ports()), "the maker releases all of it, still");
    }

    fn child(answer: &serde_json::Value) -> Pid {
        Pid::from_raw(i32::try_from(answer["child"].as_i64().unwrap()).unwrap()).unwrap()
    }
}

mod shapes {
    use super::*;

    fn bases(world: &Stage, first: u16, last: u16) -> String {
        format!("{}-{}", world.base() + first, world.base() + last)
    }

    #[test]
    fn offsets_are_from_a_base_in_the_pool() {
        let world = Stage::alone(ACTOR, 30);
        // Bases from the first ten; the others reach beyond the pool.
        let allocator = world.settings().pool(bases(&world, 0, 9)).open().unwrap();
        let mut leases = Vec::new();
        let mut seen = Vec::new();
        for _ in 0..10 {
            let lease = allocator.lease(LeaseRequest::offsets([0, 20, 10])).unwrap();
            let base = lease.base_port();
            assert_eq!(lease.ports(), [base, base + 20, base + 10], "in the order asked for");
            assert!(world.ports()[..10].contains(&base));
            seen.extend_from_slice(lease.ports());
            leases.push(lease);
        }
        seen.sort_unstable();
        assert_eq!(seen, world.ports());
        let error = allocator.lease(LeaseRequest::offsets([0, 10])).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PoolExhausted);
        assert!(error.message().contains("+0, +10"), "{error}");
        drop(leases.pop());
        assert!(allocator.lease(LeaseRequest::offsets([0, 10])).is_ok());
        // Outside the pool they are held against everybody, too.
        assert!(!can_be_leased(&world.allocator(), &[leases[0].ports()[1]]));
    }

    #[test]
    fn the_only_base_there_is_is_found() {
        let world = Stage::alone(ACTOR, 60);
        let base = world.base();
        let allocator = world.allocator();
        for only in [0_u16, 17, 30] {
            let wanted = [only, only + 1, only + 20].map(|offset| base + offset);
            let others: Vec<u16> = world.ports().iter().copied().filter(|port| !wanted.contains(port)).collect();
            let (leased, bound) = others.split_at(others.len() / 2);
            let _leased = allocator.lease(LeaseRequest::exact(leased.to_vec())).unwrap();
            let _bound: Vec<Socket> = bound.iter().map(|port| bind(V4, *port, Type::STREAM, false).unwrap()).collect();
            assert_eq!(allocator.lease(LeaseRequest::offsets([0, 1, 20])).unwrap().ports(), wanted);
            assert_eq!(code(allocator.lease(LeaseRequest::offsets([0, 2, 20]))), ErrorCode::PoolExhausted);
            let mut scattered = allocator.lease(LeaseRequest::scattered(3)).unwrap().ports().to_vec();
            scattered.sort_unstable();
            assert_eq!(scattered, wanted);
            assert_eq!(code(allocator.lease(LeaseRequest::scattered(4))), ErrorCode::PoolExhausted);
            assert_eq!(code(allocator.lease(3)), ErrorCode::PoolExhausted, "there is no run");
        }
    }

    #[test]
    fn excluded_ports_are_in_no_shape() {
        let world = Stage::alone(ACTOR, 30);
        let base = world.base();
        let settings = world.settings().pool(bases(&world, 0, 2)).exclude(format!("{},{}", base + 20, base + 1));
        let allocator = settings.open().unwrap();
        for _ in 0..20 {
            assert_eq!(allocator.lease(LeaseRequest::offsets([0, 20])).unwrap().base_port(), base + 2);
        }
        let _held = allocator.lease(LeaseRequest::offsets([0, 20])).unwrap();
        assert_eq!(code(allocator.lease(LeaseRequest::offsets([0, 20]))), ErrorCode::PoolExhausted);
        assert_eq!(allocator.lease(LeaseRequest::scattered(1)).unwrap().ports(), [base]);
    }

    /// Nobody else uses these: they are above every ephemeral range and every slice of the tests.
    #[test]
    fn no_shape_reaches_beyond_the_last_port() {
        let world = Stage::alone(ACTOR, 1);
        let allocator = world.settings().pool("65526-65535").open().unwrap();
        let leases: Vec<Lease> = (0..2).map(|_| allocator.lease(LeaseRequest::offsets([0, 8])).unwrap()).collect();
        let mut held: Vec<u16> = leases.iter().flat_map(|lease| lease.ports().to_vec()).collect();
        held.sort_unstable();
        assert_eq!(held, [65526, 65527, 65534, 65535]);
        assert_eq!(code(allocator.lease(LeaseRequest::offsets([0, 8]))), ErrorCode::PoolExhausted);
        assert_eq!(code(allocator.lease(LeaseRequest::offsets([0, 65534]))), ErrorCode::PoolExhausted);
        // From port 1 on, there is no port so far away.
        assert_eq!(code(allocator.lease(LeaseRequest::offsets([0, 65535]))), ErrorCode::InvalidArgument);
    }

    #[test]
    fn scattered_ports_are_found_where_no_run_is() {
        let world = Stage::alone(ACTOR, 40);
        let allocator = world.allocator();
        // Every other port is gone: by a lease, by strangers of TCP and of UDP.
        let odd: Vec<u16> = world.ports().iter().copied().skip(1).step_by(2).collect();
        let _leased = allocator.lease(LeaseRequest::exact(odd[..10].to_vec())).unwrap();
        let _bound: Vec<Socket> = odd[10..]
            .iter()
            .enumerate()
            .map(|(at, port)| bind(V6, *port, if at % 2 == 0 { Type::STREAM } else { Type::DGRAM }, false).unwrap())
            .collect();
        assert_eq!(code(allocator.lease(2)), ErrorCode::PoolExhausted);
        let lease = allocator.lease(LeaseRequest::scattered(20)).unwrap();
        let mut ports = lease.ports().to_vec();
        ports.sort_unstable();
        assert_eq!(ports, world.ports().iter().copied().step_by(2).collect::<Vec<_>>());
        let error = allocator.lease(LeaseRequest::scattered(1)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PoolExhausted);
        assert_eq!(error.census().map(|census| (census.held, census.foreign)), Some((30, 10)));
        drop(lease);
        assert_eq!(code(allocator.lease(LeaseRequest::scattered(21))), ErrorCode::PoolExhausted);
        assert!(allocator.lease(LeaseRequest::scattered(20)).is_ok(), "what was exhausted left nothing locked");
    }

    fn contest(shape: &str, count: usize, pool: (u16, u16), times: usize) {
        let world = Stage::alone(ACTOR, 60);
        let journal = world.path().join("journal");
        let mut actors: Vec<Actor> = (0..8)
            .map(|_| {
                let mut command = world.program(ACTOR);
                command.env("PORTALLOC_POOL", bases(&world, pool.0, pool.1));
                Actor::spawn(command)
            })
            .collect();
        for (seed, actor) in actors.iter_mut().enumerate() {
            let shape = format!("shape {shape} most 3 seed {seed} wait 60000");
            actor.send(&format!("contend {count} journal {} times {times} {shape}", journal.display()));
        }
        actors.iter_mut().for_each(|actor| assert_eq!(actor.answer().unwrap()["taken"], times));
        let verdict = judge(&journal);
        assert!(verdict.taken >= 8 * times && verdict.holders.is_empty(), "{verdict:?}");
        assert_eq!(world.allocator().census().unwrap().free, 60);
    }

    #[test]
    fn offsets_never_overlap_under_contention() {
        // 20 bases, of which 8 actors want up to 3 at a time.
        contest("0,1,30", 3, (0, 19), 150);
    }

    #[test]
    fn scattered_ports_never_overlap_under_contention() {
        contest("scattered", 5, (0, 59), 150);
    }
}

mod sticky {
    use super::*;

    #[test]
    fn a_key_gets_the_same_ports_again() {
        let world = Stage::alone(ACTOR, 60);
        let ask = || LeaseRequest::run(4).sticky("web");
        let first = world.allocator().lease(ask()).unwrap().ports().to_vec();
        for _ in 0..10 {
            assert_eq!(world.allocator().lease(ask()).unwrap().ports(), first);
        }
        let mut actors = world.actors(1);
        assert!(world.allocator().lease(LeaseRequest::run(4)).is_ok());
        drop(actors.pop());
        let guarded = world.allocator().lease(ask().guard(true)).unwrap();
        assert_eq!(guarded.ports(), first);
        assert_eq!(guarded.guard_state(), GuardState::Exclusive);
    }

    #[test]
    fn other_ports_when_they_are_taken_and_those_from_then_on() {
        let world = Stage::alone(ACTOR, 60);
        let allocator = world.allocator();
        let ask = || LeaseRequest::run(4).sticky("web");
        let first = allocator.lease(ask()).unwrap();
        let second = allocator.lease(ask()).unwrap();
        assert!(first.ports().iter().all(|port| !second.ports().contains(port)));
        let at_last = second.ports().to_vec();
        drop((first, second));
        assert_eq!(allocator.lease(ask()).unwrap().ports(), at_last, "where it was last");
        let _stranger = bind(V4, at_last[3], Type::DGRAM, false).unwrap();
        let third = allocator.lease(ask()).unwrap();
        assert!(!third.ports().contains(&at_last[3]));
    }

    #[test]
    fn keys_do_not_disturb_each_other() {
        let world = Stage::alone(ACTOR, 60);
        let allocator = world.allocator();
        let ask = |key: &str| allocator.lease(LeaseRequest::run(2).sticky(key)).unwrap();
        let keys = ["web", "postgres", "redis", "../etc/passwd", "", "a\nb"];
        let leases: Vec<Lease> = keys.iter().map(|key| ask(key)).collect();
        let had: Vec<Vec<u16>> = leases.iter().map(|lease| lease.ports().to_vec()).collect();
        drop(leases);
        for (key, had) in keys.iter().zip(had).rev() {
            assert_eq!(ask(key).ports(), had, "{key:?}");
        }
    }

    #[test]
    fn every_shape_may_be_sticky() {
        let world = Stage::alone(ACTOR, 60);
        let allocator = world.allocator();
        let offsets = || allocator.lease(LeaseRequest::offsets([0, 9]).sticky("o")).unwrap().ports().to_vec();
        assert_eq!(offsets(), offsets());
        let one = || allocator.lease(LeaseRequest::scattered(1).sticky("s")).unwrap().ports().to_vec();
        assert_eq!(one(), one());
    }

    /// The documented rule: SHA-256 over key and place, each behind its length in 8 bytes, all little endian; its first
    /// 8 bytes, modulo the number of runs that fit side by side. Computed outside of this project, for a pool of 100.
    #[test]
    fn the_first_place_of_a_key_is_the_same_on_every_machine() {
        let world = Stage::alone(ACTOR, 100);
        let expected = [
            ("web", 1, 44),
            ("web", 3, 25),
            ("web", 5, 4),
            ("postgres", 1, 83),
            ("postgres", 3, 19),
            ("postgres", 5, 3),
            ("work/app 1", 5, 15),
        ];
        for (at, (key, count, cell)) in expected.into_iter().enumerate() {
            // A registry of its own is a machine of its own.
            let settings = world.settings().directory(world.path().join(format!("machine-{at}")));
            let allocator = settings.open().unwrap();
            let ask = || allocator.lease(LeaseRequest::run(count).sticky(key)).unwrap();
            let first = ask();
            assert_eq!(usize::from(first.base_port() - world.base()), cell * count, "{key:?} of {count}");
            // The places after it, where the first is taken: the next one that differs.
            if (key, count) == ("web", 5) {
                let second = ask();
                let third = ask();
                let bases = [&second, &third].map(|lease| usize::from(lease.base_port() - world.base()));
                assert_eq!(bases, [9 * 5, 10 * 5]);
            }
        }
    }
}
