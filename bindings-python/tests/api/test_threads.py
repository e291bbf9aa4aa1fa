"""Threads: a lease is any thread's, leases taken at once are distinct, and a call that waits keeps nobody waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import World

THREADS = 16


def test_leases_taken_at_once_are_distinct() -> None:
    start = threading.Barrier(THREADS)

    def work(_: int) -> list[portalloc.Lease]:
        start.wait(DEADLINE)
        return [portalloc.lease(wait=DEADLINE) for _ in range(2)]

    with ThreadPoolExecutor(THREADS) as pool:
        leases = [lease for of_one in pool.map(work, range(THREADS)) for lease in of_one]
    ports = [lease.port for lease in leases]
    assert len(set(ports)) == len(ports) == 2 * THREADS
    for lease in leases:
        lease.release()
    assert portalloc.leases() == []


def test_more_threads_than_ports_take_turns(world: World) -> None:
    pool = f"{world.base}-{world.base + 2}"
    owner: dict[int, int] = {}
    conflicts: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            with portalloc.lease(pool=pool, wait=DEADLINE) as lease:
                # `setdefault` is one step for all threads.
                if owner.setdefault(lease.port, number) != number:
                    conflicts.append(lease.port)
                del owner[lease.port]

    with ThreadPoolExecutor(8) as executor:
        list(executor.map(work, range(8)))
    assert conflicts == []


def test_one_lease_released_by_many_threads() -> None:
    for _ in range(20):
        lease = portalloc.lease()
        start = threading.Barrier(8)

        def work(_: int, lease: portalloc.Lease = lease, start: threading.Barrier = start) -> None:
            start.wait(DEADLINE)
            lease.release()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert lease.released


def waiting_for_a_lease(port: int) -> None:
    portalloc.lease(exact=[port], wait=DEADLINE).release()


def waiting_for_an_environment(port: int) -> None:
    portalloc.environment(exact=[port], wait=DEADLINE).cleanup()


def waiting_for_a_free_port(port: int) -> None:
    portalloc.wait_until_free(port, wait=DEADLINE)


@pytest.mark.parametrize("wait", [waiting_for_a_lease, waiting_for_an_environment, waiting_for_a_free_port])
def test_another_thread_ends_what_this_one_waits_for(wait: Callable[[int], None], world: World) -> None:
    """If the waiting call kept the other thread from running, neither would ever come to an end."""
    lease = portalloc.lease(exact=[world.base])
    server = lease.socket()
    released = threading.Event()

    def release() -> None:
        server.close()
        lease.release()
        released.set()

    thread = threading.Timer(0.05, release)
    thread.start()
    wait(world.base)
    thread.join(DEADLINE)
    assert released.is_set()


def test_another_thread_starts_what_this_one_waits_for() -> None:
    with portalloc.lease() as lease, lease.socket(listen=False) as server:
        thread = threading.Timer(0.05, server.listen)
        thread.start()
        portalloc.wait_until_open(lease.port, wait=DEADLINE)
        thread.join(DEADLINE)


def test_many_threads_wait_at_once(world: World) -> None:
    with portalloc.lease(exact=world.ports[:8]) as lease, ThreadPoolExecutor(8) as pool:
        waits = [pool.submit(waiting_for_a_lease, port) for port in world.ports[:8]]
        lease.release()
        assert [wait.result(DEADLINE) for wait in waits] == [None] * 8


def test_an_environment_in_another_thread(world: World) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: portalloc.environment(2, env_file=True), range(8)))
        assert len({port for environment in made for port in environment.ports}) == 16
        assert len({environment.id for environment in made}) == 8
        assert len({environment.env_file for environment in made}) == 8
        list(pool.map(portalloc.Environment.cleanup, made))
    assert world.left_behind() == []
