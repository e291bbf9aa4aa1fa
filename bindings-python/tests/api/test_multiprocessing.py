"""`multiprocessing`, by every start method: workers lease for themselves; leases themselves do not travel."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import Actor, run, until

if TYPE_CHECKING:
    from support import World

METHODS = ["fork", "forkserver", "spawn"]

_HELD: list[portalloc.Lease] = []


def take(count: int) -> tuple[int, list[int]]:
    """In a worker: leases, and holds until the worker ends."""
    lease = portalloc.lease(count, wait=60)
    _HELD.append(lease)
    return os.getpid(), list(lease)


SCRIPT = """
import multiprocessing, sys
import portalloc
from api.test_multiprocessing import take

if __name__ == "__main__":
    with portalloc.lease(3) as lease:
        with multiprocessing.get_context(sys.argv[1]).Pool(4) as pool:
            taken = pool.map(take, [2] * 12, chunksize=1)
            ports = [port for _, ports in taken for port in ports]
            assert len(set(ports)) == 24, ports
            assert not set(ports) & set(lease)
            assert not any(map(portalloc.is_free, ports + list(lease)))
            pool.terminate()
            pool.join()
        assert not any(map(portalloc.is_free, lease))
        print(*ports)
"""


@pytest.mark.parametrize("method", METHODS)
def test_workers_lease_distinct_ports(method: str) -> None:
    # In a process of its own: it has one thread, as who forks should, and its fork server ends with it.
    done = run(SCRIPT, method, flags=["-W", "error"], env={"PYTHONPATH": os.path.dirname(os.path.dirname(__file__))})  # noqa: PTH120
    assert done.returncode == 0, done.stderr
    ports = list(map(int, done.stdout.split()))
    assert len(ports) == 24
    until("the workers' ports are free", lambda: all(map(portalloc.is_free, ports)))


def test_a_lease_cannot_be_sent() -> None:
    with (
        portalloc.lease() as lease,
        multiprocessing.get_context("spawn").Pool(1) as pool,
        pytest.raises(TypeError, match="cannot be pickled"),
    ):
        pool.apply(len, (lease,))
    assert portalloc.leases() == []


def test_its_ports_can_be_sent(world: World) -> None:
    context = multiprocessing.get_context("spawn")
    with portalloc.lease(2) as lease, ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(max, lease.ports).result() == max(lease)
    assert set(lease.ports) <= set(world.ports)


def test_a_worker_that_is_killed_frees_its_ports(actor: Actor) -> None:
    actor.do(
        "import multiprocessing\n"
        "def work(pipe):\n"
        "    lease = portalloc.lease(2)\n"
        "    pipe.send(lease.ports)\n"
        "    pipe.recv()\n"
        "context = multiprocessing.get_context('fork')\n"
        "here, there = context.Pipe()\n"
        "worker = context.Process(target=work, args=[there])\n"
        "worker.start()"
    )
    ports = actor.ask("here.recv()")
    assert not any(map(portalloc.is_free, ports))
    actor.do("worker.kill(); worker.join()")
    until("the ports are free", lambda: all(map(portalloc.is_free, ports)))
