"""The worker in Python, and its nursery: see ../README.md."""

from __future__ import annotations

import multiprocessing
import multiprocessing.popen_fork  # else a worker imports it, when it may not have a descriptor left for that
import os
import random
import signal
import socket
import sys
import time
from typing import NoReturn

import portalloc
from portalloc import tools

Served = tuple[portalloc.Lease, list[socket.socket]]

JOURNAL = os.open(os.environ["STORM_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
STORM = int(os.environ["STORM_PID"])
BIND_ERRNO = int(os.environ.get("STORM_BIND_ERRNO", "0"))
TOLERATED = {"pool_exhausted", *os.environ.get("STORM_TOLERATED", "").split()}

# So many leases, and so many environments, at most, or the pool would soon be full.
MAX_HELD = 5


def note(line: str) -> None:
    os.write(JOURNAL, f"{line:<63}\n".encode())


class Worker:
    """Does everything there is to do, at random, so that a SIGKILL can hit it anywhere."""

    def __init__(self, serial: str, seed: int) -> None:
        self.serial = serial
        self.random = random.Random(seed)
        self.served: list[Served] = []
        self.held: list[portalloc.Environment] = []
        self.kept: list[portalloc.Environment] = []
        self.has_child = False
        self.operations = [
            *[lambda count: self.lease(count, guard=False)] * 6,
            *[lambda count: self.lease(count, guard=True)] * 2,
            *[self.release] * 9,
            *[lambda count: self.environment(count, "held")] * 3,
            *[self.end_held] * 5,
            *[lambda count: self.environment(count, "owned")] * 2,
            *[lambda count: self.environment(count, "kept")] * 2,
            lambda count: self.environment(count, "sticky"),
            self.short_lived,
            *[self.end_kept] * 4,
            *[self.clean_stale] * 2,
            self.look,
            self.fork,
        ]

    def work(self) -> None:
        # Whoever ends the storm ends its workers.
        while os.getppid() == STORM:
            operation = self.random.choice(self.operations)
            try:
                operation(1 + self.random.randrange(5))
            except portalloc.Error as error:
                if error.code not in TOLERATED:
                    raise
                self.did(error.code)
                self.make_room()
            except OSError as error:
                if error.errno != BIND_ERRNO:
                    raise

    def did(self, what: str) -> None:
        note(f"did {self.serial} {what}")

    def make_room(self) -> None:
        while self.served and not self.has_child:
            self.release(0)
        while self.kept:
            try:
                self.end_kept(0)
            except portalloc.Error as error:
                if error.code not in TOLERATED:
                    raise

    def took(self, holder: str, ports: tuple[int, ...]) -> None:
        note(f"took {holder} {ports[0]} {len(ports)}")

    def gave(self, holder: str, ports: tuple[int, ...]) -> None:
        note(f"gave {holder} {ports[0]} {len(ports)}")

    def lease(self, count: int, *, guard: bool) -> None:
        if len(self.served) >= MAX_HELD:
            self.release(0)
            return
        lease = portalloc.lease(count, guard=guard)
        lease.share_guard()
        servers = []
        for port in lease:
            try:
                servers.append(socket.create_server(("127.0.0.1", port)))
            except OSError as error:
                if error.errno != BIND_ERRNO:
                    raise
        self.took(self.serial, lease.ports)
        self.served.append((lease, servers))
        self.did("guarded" if guard else "lease")

    def release(self, _count: int) -> None:
        if self.served and not self.has_child:
            lease, servers = self.served.pop(self.random.randrange(len(self.served)))
            self.gave(self.serial, lease.ports)
            for server in servers:
                server.close()
            lease.release()
            self.did("release")

    def environment(self, count: int, how: str) -> None:
        if len(self.held) + len(self.kept) >= MAX_HELD:
            self.end_held(0)
            self.end_kept(0)
            return
        ttl = 24 * 3600.0 if how == "sticky" else None
        environment = portalloc.environment(
            count,
            instance_id=self.serial,
            env_file=True,
            kept=how != "held",
            owner_pid=os.getpid() if how == "owned" else None,
            sticky=how == "sticky",
            ttl=ttl,
        )
        if how in ("held", "owned"):
            self.took(self.holder_with_us(environment), environment.ports)
            self.held.append(environment)
        else:
            self.took(f"{self.serial}+{environment.id}", environment.ports)
            self.kept.append(environment)
        self.did(how)

    def holder_with_us(self, environment: portalloc.Environment) -> str:
        return self.serial if environment.lifetime == "held" else f"{self.serial}={environment.id}"

    def short_lived(self, count: int) -> None:
        ttl = self.random.randrange(1, 20) / 1000
        portalloc.environment(count, instance_id=self.serial, env_file=True, kept=True, ttl=ttl)
        self.did("ttl")

    def end_held(self, _count: int) -> None:
        if self.held and not self.has_child:
            environment = self.held.pop(self.random.randrange(len(self.held)))
            self.gave(self.holder_with_us(environment), environment.ports)
            environment.cleanup()
            self.did("cleanup")

    def end_kept(self, _count: int) -> None:
        if self.kept:
            environment = self.kept.pop(self.random.randrange(len(self.kept)))
            self.gave(f"{self.serial}+{environment.id}", environment.ports)
            environment.cleanup()
            self.did("cleanup")

    def clean_stale(self, _count: int) -> None:
        if portalloc.cleanup_stale():
            self.did("removed")
        self.did("stale")

    def look(self, _count: int) -> None:
        portalloc.environments()
        self.did("list")

    def fork(self, count: int) -> None:
        """Leave a child that holds a lease for a while after its parent is gone."""
        if self.has_child:
            return
        lease = portalloc.lease(count)
        self.took(self.serial, lease.ports)
        self.served.append((lease, []))
        parent = os.getpid()
        if self.random.randrange(2):
            multiprocessing.get_context("fork").Process(target=self.outlive, args=(lease, parent)).start()
        elif os.fork() == 0:
            self.outlive(lease, parent)
        self.has_child = True
        self.did("fork")

    def outlive(self, lease: portalloc.Lease, parent: int) -> NoReturn:
        while os.getppid() == parent:
            pause(0.0005)
        holder = f"{self.serial}-child"
        self.took(holder, lease.ports)
        pause(self.random.random() * 0.02)
        self.gave(holder, lease.ports)
        self.did("orphan")
        os._exit(0)


def pause(seconds: float) -> None:
    """Let others run; nobody relies on how long it is."""
    signal.sigtimedwait([], seconds)


def nursery() -> None:
    tools.settings()
    for line in sys.stdin:
        serial, seed = line.split()
        between = os.fork()
        if between:
            os.waitpid(between, 0)
            continue
        between = os.getpid()
        if os.fork():
            os._exit(0)
        # From then on it is the storm's own child.
        while os.getppid() == between:
            time.sleep(0)
        os.setpgid(0, 0)
        os.write(1, f"{os.getpid()}\n".encode())
        Worker(serial, int(seed)).work()
        os._exit(0)


nursery()
