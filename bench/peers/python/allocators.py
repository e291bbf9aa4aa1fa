"""Who is compared in Python: how each is asked for ports, and how they are given back. Knows nothing of the workload.

Each is imported only where it is the one that is measured, so that nobody's memory is another's.
"""

from __future__ import annotations

import os
import socket
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Contestant(Protocol):
    def allocate(self, count: int) -> list[int]: ...

    def release(self, ports: list[int]) -> None: ...


class Portalloc:
    def __init__(self) -> None:
        import portalloc

        self._take = portalloc.lease
        self._lease: portalloc.Lease | None = None

    def allocate(self, count: int) -> list[int]:
        self._lease = self._take(count)
        return list(self._lease)

    def release(self, ports: list[int]) -> None:  # noqa: ARG002 (the lease knows its ports)
        if self._lease is not None:
            self._lease.release()


class Bind0:
    def allocate(self, count: int) -> list[int]:
        """All at once, so that they differ."""
        probes = [socket.socket() for _ in range(count)]
        try:
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            return [probe.getsockname()[1] for probe in probes]
        finally:
            for probe in probes:
                probe.close()

    def release(self, ports: list[int]) -> None:
        """There is nothing to give back."""


class Single:
    """What gives one port at a call, and may have a way to give it back."""

    def __init__(self, pick: Callable[[], int], give_back: Callable[[int], object] | None = None) -> None:
        self._pick = pick
        self._give_back = give_back

    def allocate(self, count: int) -> list[int]:
        return [self._pick() for _ in range(count)]

    def release(self, ports: list[int]) -> None:
        if self._give_back is not None:
            for port in ports:
                self._give_back(port)


def portpicker() -> Contestant:
    portpicker = import_module("portpicker")
    return Single(portpicker.pick_unused_port, portpicker.return_port)


def ephemeral_port_reserve() -> Contestant:
    return Single(import_module("ephemeral_port_reserve").reserve)


def port_for() -> Contestant:
    port_for = import_module("port_for")
    given = os.environ.get("PEERS_RANGE")
    if given is None:
        return Single(port_for.select_random)
    low, high = map(int, given.split("-"))
    return Single(lambda: port_for.select_random(set(range(low, high + 1))))


CONTESTANTS: dict[str, Callable[[], Contestant]] = {
    "portalloc-python": Portalloc,
    "bind0-python": Bind0,
    "portpicker": portpicker,
    "portpicker-server": portpicker,
    "ephemeral-port-reserve": ephemeral_port_reserve,
    "port-for": port_for,
}


def named(name: str) -> Contestant:
    return CONTESTANTS[name]()
