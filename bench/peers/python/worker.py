"""The worker of `make bench-peers` in Python: `worker.py CONTESTANT PORTS JOURNAL`.

What it does is told in ../README.md, and is the same in every language. It knows no contestant; those are in
`allocators`.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
from pathlib import Path

import allocators

# The workload's own pauses, in seconds: a user's server binds some time after its port was chosen, and runs.
BEFORE_BIND = (0.010, 0.030)
SERVING = 0.005


def say(line: str) -> None:
    print(line, flush=True)


def serve(port: int) -> socket.socket | None:
    """A server as servers are: it sets SO_REUSEADDR, and listens."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


class Worker:
    def __init__(self, contestant: allocators.Contestant, count: int, journal: int) -> None:
        self._contestant = contestant
        self._count = count
        self._journal = journal
        self._pid = os.getpid()
        self._dice = random.Random(self._pid)

    def _note(self, line: str) -> None:
        os.write(self._journal, f"{line}\n".encode())

    def round(self) -> None:
        """As users have it: a port is chosen, some time passes, the server binds it, serves and ends."""
        gap = self._dice.uniform(*BEFORE_BIND)
        start = time.perf_counter_ns()
        try:
            ports = self._contestant.allocate(self._count)
        except Exception:  # noqa: BLE001 (what each throws when it finds none is its own affair)
            self._note(f"none {self._pid} {time.perf_counter_ns() - start}")
            time.sleep(gap)
            return
        took = time.perf_counter_ns() - start
        written = ",".join(map(str, ports))
        self._note(f"took {self._pid} {took} {written}")
        time.sleep(gap)
        servers = [serve(port) for port in ports]
        self._note(f"bound {self._pid} {servers.count(None)}")
        time.sleep(SERVING)
        for server in servers:
            if server is not None:
                server.close()
        self._note(f"gave {self._pid} {written}")
        self._contestant.release(ports)

    def paced(self, seconds: float) -> None:
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            self.round()
        say("paced")

    def flat(self, seconds: float) -> None:
        allocated = gave_up = 0
        start = time.perf_counter_ns()
        while (elapsed := time.perf_counter_ns() - start) < seconds * 1e9:
            try:
                ports = self._contestant.allocate(self._count)
            except Exception:  # noqa: BLE001 (as above)
                gave_up += 1
            else:
                allocated += 1
                self._contestant.release(ports)
        say(f"flat {allocated} {gave_up} {elapsed}")


def memory() -> str:
    """The most memory that this process ever had, in KiB; it has no children."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return f"memory {line.split()[1]} 0"
    raise RuntimeError("no VmHWM")


def main() -> None:
    name, count, path = sys.argv[1:]
    journal = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    worker = Worker(allocators.named(name), int(count), journal)
    say("ready")
    for command in sys.stdin:
        match command.split():
            case ["paced", seconds]:
                worker.paced(float(seconds))
            case ["flat", seconds]:
                worker.flat(float(seconds))
            case _:
                say(memory())


if __name__ == "__main__":
    main()
