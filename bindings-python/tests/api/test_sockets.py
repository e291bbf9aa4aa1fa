"""The bound socket itself, handed to the server, so that nobody can come in between."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from support import can_bind

if TYPE_CHECKING:
    from support import World


def test_a_listening_tcp_socket_by_default() -> None:
    with portalloc.lease(2) as lease, lease.socket() as server:
        assert type(server) is socket.socket
        assert (server.family, server.type) == (socket.AF_INET, socket.SOCK_STREAM)
        assert server.getsockname() == ("127.0.0.1", lease[0])
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        with socket.create_connection(("127.0.0.1", lease[0])) as client:
            accepted, address = server.accept()
            with accepted:
                assert address == client.getsockname()


def test_by_index() -> None:
    with portalloc.lease(3) as lease:
        for index, port in enumerate(lease):
            with lease.socket(index) as server:
                assert server.getsockname()[1] == port


@pytest.mark.parametrize("index", [3, -1, -3, 2**40])
def test_an_index_that_is_none(index: int) -> None:
    with portalloc.lease(3) as lease, pytest.raises(portalloc.InvalidArgumentError, match="from 0 to 2"):
        lease.socket(index)


@pytest.mark.parametrize("index", ["0", 0.0, None], ids=repr)
def test_an_index_of_a_wrong_type(index: Any) -> None:
    with portalloc.lease() as lease, pytest.raises(TypeError):
        lease.socket(index)


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("", "0.0.0.0"), ("::1", "::1"), ("::", "::")],
)
def test_hosts(host: str, address: str) -> None:
    with portalloc.lease() as lease, lease.socket(host=host) as server:
        assert server.family == (socket.AF_INET6 if ":" in address else socket.AF_INET)
        assert server.getsockname()[:2] == (address, lease.port)


def test_the_address_of_every_family_is_reached_by_both() -> None:
    with portalloc.lease() as lease, lease.socket(host="::"):
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, lease.port)).close()


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1:80", "1.2.3", "fe80::1%lo", "203.0.113.7", " "])
def test_a_host_that_is_no_address_of_this_machine(host: str) -> None:
    with portalloc.lease() as lease, pytest.raises(portalloc.InvalidArgumentError) as raised:
        lease.socket(host=host)
    assert host in raised.value.message


def test_udp() -> None:
    with portalloc.lease() as lease, lease.socket(type=socket.SOCK_DGRAM) as server:
        assert (server.type, server.getsockname()) == (socket.SOCK_DGRAM, ("127.0.0.1", lease.port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"hello", ("127.0.0.1", lease.port))
        server.settimeout(60)
        assert server.recv(100) == b"hello"


def test_tcp_and_udp_of_one_port() -> None:
    with portalloc.lease() as lease, lease.socket() as tcp, lease.socket(type=socket.SOCK_DGRAM) as udp:
        assert tcp.getsockname() == udp.getsockname()


def test_a_socket_that_does_not_listen_yet() -> None:
    with portalloc.lease() as lease, lease.socket(listen=False) as server:
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", lease.port))
        server.listen()
        socket.create_connection(("127.0.0.1", lease.port)).close()


@pytest.mark.parametrize("kind", [0, 3, -1, socket.SOCK_RAW, socket.SOCK_STREAM | socket.SOCK_NONBLOCK])
def test_a_type_that_cannot_be_passed(kind: int) -> None:
    with portalloc.lease() as lease, pytest.raises(portalloc.InvalidArgumentError):
        lease.socket(type=kind)


@pytest.mark.parametrize("asked", [{"type": "stream"}, {"host": None}, {"host": 1}, {"listen": 1}, {"backlog": 1}])
def test_options_of_a_wrong_type(asked: dict[str, Any]) -> None:
    with portalloc.lease() as lease, pytest.raises(TypeError):
        lease.socket(**asked)


def test_a_passed_port_is_closed_to_foreign_processes() -> None:
    with portalloc.lease() as lease, lease.socket():
        assert not can_bind(lease.port, reuse=False)
        assert not can_bind(lease.port, reuse=True)


def test_over_a_guard_nobody_comes_in_between() -> None:
    with portalloc.lease(guard=True) as lease:
        stop, got_in = threading.Event(), []

        def foreign() -> None:
            while not stop.is_set():
                # Without the option: with it, it may bind over the guard once that is open, but then not listen.
                if can_bind(lease.port, reuse=False):
                    got_in.append(lease.port)

        thread = threading.Thread(target=foreign)
        thread.start()
        try:
            with lease.socket() as server:
                socket.create_connection(("127.0.0.1", lease.port)).close()
                server.accept()[0].close()
        finally:
            stop.set()
            thread.join()
        assert got_in == []


def test_the_other_ports_stay_guarded() -> None:
    with portalloc.lease(2, guard=True) as lease, lease.socket(0):
        assert lease.guard_state == "exclusive"
        assert not can_bind(lease[1], reuse=True)


def test_a_guard_is_open_once_its_last_port_was_passed() -> None:
    with portalloc.lease(guard=True) as lease:
        lease.socket().close()
        assert lease.guard_state == "shared"
        assert can_bind(lease.port, reuse=True)
        assert not can_bind(lease.port, reuse=False)


def test_a_foreign_process_was_first() -> None:
    with portalloc.lease() as lease, socket.socket() as foreign:
        foreign.bind(("127.0.0.1", lease.port))
        foreign.listen()
        with pytest.raises(portalloc.PortInUseError) as raised:
            lease.socket()
        assert str(lease.port) in raised.value.message


def test_of_a_released_lease() -> None:
    with portalloc.lease() as lease:
        pass
    with pytest.raises(portalloc.InvalidArgumentError, match="released"):
        lease.socket()


def test_it_outlives_the_lease_and_is_seen_as_a_foreign_process(world: World) -> None:
    with portalloc.lease(exact=[world.base]) as lease:
        server = lease.socket()
    with server:
        socket.create_connection(("127.0.0.1", world.base)).close()
        with pytest.raises(portalloc.PortInUseError):
            portalloc.lease(exact=[world.base])
    assert server.fileno() == -1


def test_it_is_not_inherited_and_belongs_to_its_object() -> None:
    with portalloc.lease() as lease:
        server = lease.socket()
        descriptor = server.fileno()
        assert not os.get_inheritable(descriptor)
        assert not server.get_inheritable()
        server.close()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_one_of_an_environment() -> None:
    with portalloc.environment(names=["web", "api"]) as environment:
        lease = environment.lease
        assert lease is not None
        with lease.socket(1) as server:
            assert server.getsockname()[1] == environment.port("api")
