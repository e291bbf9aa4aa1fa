"""Waiting for servers to come and to go, without a sleep that hopes."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import World

WAITS = [portalloc.wait_for, portalloc.wait_free]


def test_a_server_that_is_there() -> None:
    with portalloc.lease(2) as lease, lease.socket(0), lease.socket(1, host="::1"):
        portalloc.wait_for(lease, timeout=0)
        portalloc.wait_for(lease[0], timeout=DEADLINE)
        portalloc.wait_for(iter(lease.ports))


def test_a_server_that_is_not_there() -> None:
    with portalloc.lease(2) as lease, lease.socket(0):
        for timeout in (0, 0.05):
            with pytest.raises(portalloc.TimeoutError) as raised:
                portalloc.wait_for(lease, timeout)
            assert isinstance(raised.value, TimeoutError)
            assert str(lease[1]) in raised.value.message
            assert str(lease[0]) not in raised.value.message
            assert raised.value.census is None


def test_a_socket_that_does_not_listen_is_no_server() -> None:
    with portalloc.lease() as lease, lease.socket(listen=False), pytest.raises(portalloc.TimeoutError):
        portalloc.wait_for(lease.port, timeout=0)


def test_a_server_that_comes() -> None:
    with portalloc.lease() as lease, lease.socket(listen=False) as server:
        thread = threading.Timer(0.05, server.listen)
        thread.start()
        portalloc.wait_for(lease.port, timeout=DEADLINE)
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        thread.join()


def test_a_port_that_is_free(world: World) -> None:
    portalloc.wait_free(world.base, timeout=0)
    portalloc.wait_free(world.ports)
    # A lease binds nothing.
    with portalloc.lease() as lease:
        portalloc.wait_free(lease, timeout=0)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_bound(world: World, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", world.base))
        with pytest.raises(portalloc.TimeoutError) as raised:
            portalloc.wait_free(world.ports[:2], timeout=0)
        assert str(world.base) in raised.value.message
        assert str(world.base + 1) not in raised.value.message
    portalloc.wait_free(world.ports[:2], timeout=0)


def test_a_server_that_goes(world: World) -> None:
    server = socket.create_server(("127.0.0.1", world.base))
    thread = threading.Timer(0.05, server.close)
    thread.start()
    portalloc.wait_free([world.base], timeout=DEADLINE)
    assert server.fileno() == -1
    thread.join()


@pytest.mark.parametrize("wait", WAITS)
def test_no_port_at_all(wait: Callable[..., None]) -> None:
    with pytest.raises(portalloc.InvalidArgumentError):
        wait([])


@pytest.mark.parametrize("wait", WAITS)
def test_what_they_take(wait: Callable[..., None], world: World) -> None:
    with socket.create_server(("127.0.0.1", world.base)):
        port = world.base if wait is portalloc.wait_for else world.base + 1
        for ports in (port, [port], (port, port), {port}, range(port, port + 1), (one for one in [port])):
            wait(ports, DEADLINE)
            wait(ports=port, timeout=DEADLINE)
    with pytest.raises(TypeError):
        wait()
    with pytest.raises(TypeError):
        wait(None)
