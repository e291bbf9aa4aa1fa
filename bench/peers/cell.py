"""One cell: so many processes of one contestant, in this process's network namespace, which is nobody else's.

Reads a plan from standard input and prints what came of it. It knows neither contestants nor judgement: it starts what
it is told to, keeps its workers in step, and gathers their own figures. The journal stays where the plan says.
"""

from __future__ import annotations

import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A worker that has not answered so long after it should have has failed. Seconds.
TIME_LIMIT = 90.0
# What some contestants go by, and the user of this machine may have set for purposes of their own.
FOREIGN = {"PORT", "HOST", "PORTSERVER_ADDRESS", "PORTALLOC_EXCLUDE", "PEERS_RANGE", "NODE_OPTIONS", "PYTHONPATH"}


@dataclass(frozen=True)
class Plan:
    command: list[str]
    environment: dict[str, str]
    processes: int
    ports: int
    journal: str
    paced_seconds: float
    # 0 for none.
    flat_seconds: float
    # Whether this process may set its namespace's loopback and range up.
    own_namespace: bool
    kernel_range: str | None
    server: list[str] | None
    server_address: str


@dataclass(frozen=True)
class Outcome:
    memory_kib: float
    command_memory_kib: float | None
    server_memory_kib: float | None
    allocations_per_second: float | None
    flat_gave_up: int


class CellError(Exception):
    """The cell has no figures."""


class Worker:
    def __init__(self, plan: Plan, number: int) -> None:
        # A worktree of its own, as a worker of a test run may have it.
        directory = Path(plan.journal).parent / f"worker-{number}"
        directory.mkdir()
        self._process = subprocess.Popen(
            [*plan.command, str(plan.ports), plan.journal],
            env={**{name: value for name, value in os.environ.items() if name not in FOREIGN}, **plan.environment},
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._rest = b""

    def tell(self, line: str) -> None:
        if self._process.stdin is None:
            raise CellError("a worker without a standard input")
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def answer(self, expected: str, deadline: float) -> list[str]:
        """The words behind the expected one."""
        if self._process.stdout is None:
            raise CellError("a worker without a standard output")
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._rest:
            if not select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise CellError(f"a worker did not say {expected!r} in time")
            read = os.read(descriptor, 4096)
            if not read:
                raise CellError(f"a worker ended instead of saying {expected!r}")
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        word, *others = line.decode().split()
        if word != expected:
            raise CellError(f"a worker said {line!r} instead of {expected!r}")
        return others

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def peak_memory_kib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1])
    raise CellError("no VmHWM")


def start_server(plan: Plan, command: list[str]) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(command, stdout=sys.stderr)
    deadline = time.monotonic() + TIME_LIMIT
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(plan.server_address)
            except OSError as error:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise CellError("the server does not answer") from error
            else:
                return server


def all_answers(workers: list[Worker], command: str, expected: str, seconds: float) -> Iterator[list[str]]:
    """Tells all of them, then waits for all of them."""
    for worker in workers:
        worker.tell(command)
    deadline = time.monotonic() + seconds + TIME_LIMIT
    for worker in workers:
        yield worker.answer(expected, deadline)


def measure(plan: Plan) -> Outcome:
    if plan.own_namespace:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if plan.kernel_range is not None:
        Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(plan.kernel_range)
    with ExitStack() as ends:
        server = None
        if plan.server is not None:
            server = start_server(plan, plan.server)
            ends.callback(server.wait)
            ends.callback(server.kill)
        workers: list[Worker] = []
        for number in range(plan.processes):
            workers.append(Worker(plan, number))
            ends.callback(workers[-1].end)
        deadline = time.monotonic() + TIME_LIMIT
        for worker in workers:
            worker.answer("ready", deadline)
        list(all_answers(workers, f"paced {plan.paced_seconds}", "paced", plan.paced_seconds))
        flats: list[list[str]] = []
        if plan.flat_seconds:
            flats = list(all_answers(workers, f"flat {plan.flat_seconds}", "flat", plan.flat_seconds))
        memories = list(all_answers(workers, "memory", "memory", 0))
        rates = [int(allocated) / int(nanoseconds) * 1e9 for allocated, _, nanoseconds in flats]
        commands = max(float(command) for _, command in memories)
        return Outcome(
            memory_kib=statistics.median(float(own) for own, _ in memories),
            command_memory_kib=commands or None,
            server_memory_kib=None if server is None else peak_memory_kib(server.pid),
            allocations_per_second=sum(rates) if rates else None,
            flat_gave_up=sum(int(gave_up) for _, gave_up, _ in flats),
        )


def main() -> None:
    try:
        print(json.dumps(asdict(measure(Plan(**json.load(sys.stdin))))))
    except CellError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
