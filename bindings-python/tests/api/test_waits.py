"""Waiting for servers to come and to go, without a sleep that hopes."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Child, World

WAITS = [portalloc.wait_until_open, portalloc.wait_until_free]


def test_a_server_that_is_there() -> None:
    with portalloc.lease(2) as lease, lease.socket(0), lease.socket(1, host="::1"):
        portalloc.wait_until_open(lease, wait=0)
        portalloc.wait_until_open(lease[0], wait=DEADLINE)
        portalloc.wait_until_open(iter(lease.ports))


def test_a_server_that_is_not_there() -> None:
    with portalloc.lease(2) as lease, lease.socket(0):
        for timeout in (0, 0.05):
            with pytest.raises(portalloc.WaitTimeout) as raised:
                portalloc.wait_until_open(lease, timeout)
            assert isinstance(raised.value, TimeoutError)
            assert str(lease[1]) in raised.value.message
            assert str(lease[0]) not in raised.value.message
            assert raised.value.census is None


def test_a_socket_that_does_not_listen_is_no_server() -> None:
    with portalloc.lease() as lease, lease.socket(listen=False), pytest.raises(portalloc.WaitTimeout):
        portalloc.wait_until_open(lease.port, wait=0)


def test_a_server_that_comes() -> None:
    with portalloc.lease() as lease, lease.socket(listen=False) as server:
        thread = threading.Timer(0.05, server.listen)
        thread.start()
        portalloc.wait_until_open(lease.port, wait=DEADLINE)
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        thread.join()


def test_a_server_that_answers(children: Callable[..., Child], world: World) -> None:
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(world.base)]
    children(command, stderr=subprocess.DEVNULL)
    portalloc.wait_until_open(world.base, http="/")
    portalloc.wait_until_open(world.base, 0, http="/nowhere", status=404)
    with pytest.raises(portalloc.WaitTimeout, match="404"):
        portalloc.wait_until_open(world.base, 0, http="/nowhere")
    with pytest.raises(portalloc.InvalidArgumentError, match="nowhere"):
        portalloc.wait_until_open(world.base, http="nowhere")


def test_a_port_that_is_free(world: World) -> None:
    portalloc.wait_until_free(world.base, wait=0)
    portalloc.wait_until_free(world.ports)
    # A lease binds nothing.
    with portalloc.lease() as lease:
        portalloc.wait_until_free(lease, wait=0)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_bound(world: World, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", world.base))
        with pytest.raises(portalloc.WaitTimeout) as raised:
            portalloc.wait_until_free(world.ports[:2], wait=0)
        assert str(world.base) in raised.value.message
        assert str(world.base + 1) not in raised.value.message
    portalloc.wait_until_free(world.ports[:2], wait=0)


def test_a_server_that_goes(world: World) -> None:
    server = socket.create_server(("127.0.0.1", world.base))
    thread = threading.Timer(0.05, server.close)
    thread.start()
    portalloc.wait_until_free([world.base], wait=DEADLINE)
    assert server.fileno() == -1
    thread.join()


@pytest.mark.parametrize("wait", WAITS)
def test_no_port_at_all(wait: Callable[..., None]) -> None:
    with pytest.raises(portalloc.InvalidArgumentError):
        wait([])


@pytest.mark.parametrize("wait", WAITS)
def test_what_they_take(wait: Callable[..., None], world: World) -> None:
    with socket.create_server(("127.0.0.1", world.base)):
        port = world.base if wait is portalloc.wait_until_open else world.base + 1
        for ports in (port, [port], (port, port), {port}, range(port, port + 1), (one for one in [port])):
            wait(ports, DEADLINE)
            wait(ports=port, wait=DEADLINE)
    with pytest.raises(TypeError):
        wait()
    with pytest.raises(TypeError):
        wait(None)
