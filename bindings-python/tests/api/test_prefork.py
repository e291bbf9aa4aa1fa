"""Servers that fork their workers: as long as one of them serves on a leased port, the port is leased."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import portalloc
from support import exists, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Child, World

PARENT = """
import os, portalloc, signal, sys
lease = portalloc.lease(exact=[int(sys.argv[1])], guard=True)
listener = lease.socket()
workers = []
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        {in_worker}
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(str(os.getpid()).encode())
    workers.append(pid)
print(*workers, flush=True)
signal.pause()
"""


def started(
    children: Callable[..., Child], port: int, in_worker: str = "pass", in_parent: str = ""
) -> tuple[Child, list[int]]:
    code = PARENT.format(in_worker=in_worker, in_parent=in_parent)
    parent = children([sys.executable, "-c", code, str(port)])
    return parent, list(map(int, parent.line().split()))


def answer(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        return int(client.makefile().read())


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    until("the worker is dead", lambda: not exists(pid))


def is_leased(port: int) -> bool:
    """Whatever sockets there are on it."""
    return bool(portalloc.who(port).leased)


def test_forked_workers_keep_the_lease_of_a_parent_that_was_killed(
    children: Callable[..., Child], world: World
) -> None:
    parent, workers = started(children, world.base)
    assert answer(world.base) in workers
    parent.kill()
    assert is_leased(world.base)
    assert answer(world.base) in workers
    for pid in workers:
        assert is_leased(world.base)
        kill(pid)
    # The port itself is free a minute later: it was the workers that closed the connections.
    until("the lease is over", lambda: not is_leased(world.base))


def test_the_end_of_a_worker_is_not_the_end_of_the_lease(children: Callable[..., Child], world: World) -> None:
    parent, workers = started(children, world.base)
    for pid in workers:
        kill(pid)
    assert is_leased(world.base)
    parent.kill()
    until("the port is free", lambda: portalloc.is_free(world.base))


def test_workers_that_let_go_keep_the_port_by_their_socket_only(children: Callable[..., Child], world: World) -> None:
    parent, workers = started(children, world.base, in_worker="lease.drop_guard(); del lease")
    parent.kill()
    until("the lease is over", lambda: not is_leased(world.base))
    assert answer(world.base) in workers
    assert not portalloc.is_free(world.base)


def test_workers_that_are_other_programs_keep_a_lease_that_was_passed_on(
    children: Callable[..., Child], world: World
) -> None:
    worker = (
        "import os, socket, sys\n"
        "listener = socket.socket(fileno=int(sys.argv[1]))\n"
        "while True:\n"
        "    connection, _ = listener.accept()\n"
        "    with connection: connection.sendall(str(os.getpid()).encode())\n"
    )
    parent_code = (
        "import portalloc, signal, subprocess, sys\n"
        f"lease = portalloc.lease(exact=[{world.base}], guard=True)\n"
        "listener = lease.socket()\n"
        "with lease.inheritable() as held:\n"
        f"    command = [sys.executable, '-c', {worker!r}, str(listener.fileno())]\n"
        "    fds = [held, listener.fileno()]\n"
        "    workers = [subprocess.Popen(command, pass_fds=fds).pid for _ in range(3)]\n"
        "print(*workers, flush=True)\n"
        "signal.pause()\n"
    )
    parent = children([sys.executable, "-c", parent_code])
    workers = list(map(int, parent.line().split()))
    assert answer(world.base) in workers
    parent.kill()
    assert is_leased(world.base)
    assert answer(world.base) in workers
    for pid in workers:
        assert is_leased(world.base)
        kill(pid)
    # The port itself is free a minute later: it was the workers that closed the connections.
    until("the lease is over", lambda: not is_leased(world.base))
