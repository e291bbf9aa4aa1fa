"""The contender in Python: see README.md."""

from __future__ import annotations

import os
import random
import socket
import sys
from typing import TypeAlias

import portalloc

PATIENCE, MIXED_PATIENCE = 60.0, 0.25
OFFSETS = (0, 2, 3, 5, 9, 10, 14, 20)
Held: TypeAlias = tuple[portalloc.Lease, list[socket.socket]]


def serve(port: int) -> list[socket.socket]:
    """On all addresses, of both families where the machine has both."""
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    if both:
        datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    datagrams.bind(("", port))
    return [socket.create_server(("", port), family=family, dualstack_ipv6=both), datagrams]


def lines(what: str, ports: tuple[int, ...]) -> bytes:
    runs: list[list[int]] = []
    for port in ports:
        if runs and port == runs[-1][-1] + 1:
            runs[-1].append(port)
        else:
            runs.append([port])
    return "".join(f"{what} {os.getpid()} {run[0]} {len(run)}\n" for run in runs).encode()


def take(count: int, holding: bool) -> portalloc.Lease:
    if count:
        return portalloc.lease(count, wait=0 if holding else PATIENCE)
    wait = 0 if holding else MIXED_PATIENCE
    some, shape = random.randint(1, 8), random.randrange(16)
    if 1 <= shape <= 4:
        return portalloc.lease(offsets=OFFSETS[:some], wait=wait)
    return portalloc.lease(some, scattered=shape == 0, wait=wait)


def become(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def main(journal: str, times: int, count: int, most: int = 1, every: int = 1, user: int | None = None) -> None:
    note = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    if user is not None:
        become(user)
    held: list[Held] = []

    def give_one() -> None:
        lease, servers = held.pop(random.randrange(len(held)))
        for server in servers:
            server.close()
        os.write(note, lines("gave", lease.ports))
        lease.release()

    for _ in sys.stdin:
        served = refused = 0
        while served < times:
            if len(held) == most:
                give_one()
            try:
                lease = take(count, bool(held))
            except (portalloc.PoolExhaustedError, portalloc.WaitTimeout):
                if count and not held:
                    raise
                refused += 1
                if held:
                    give_one()
                continue
            bound = served % every == 0
            servers = [server for port in lease for server in serve(port)] if bound else []
            os.write(note, lines("took", lease.ports))
            held.append((lease, servers))
            served += 1
        while held:
            give_one()
        print(times, refused, flush=True)


main(sys.argv[1], *map(int, sys.argv[2:]))
