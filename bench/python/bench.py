"""What the Python binding costs: beside a bare bind(0), beside the core's own call, and beside an empty interpreter.

Each pair is measured in turns in one run, since the machine's speed drifts. Prints medians; judges nothing but the
bounds it was given.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc

if TYPE_CHECKING:
    from collections.abc import Callable

TURNS = 15
CALLS = 2000
CORE = Path(__file__).parents[2] / "target" / "release" / "portalloc-bench"


def lease_and_release() -> None:
    portalloc.lease().release()


def bind_and_close() -> None:
    probe = socket.socket()
    probe.bind(("", 0))
    probe.getsockname()
    probe.close()


def median_us(call: Callable[[], None]) -> float:
    """The median of many calls, each timed on its own."""
    times: list[int] = []
    for _ in range(CALLS):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


def core_us() -> float:
    printed = subprocess.run([CORE, "core", str(CALLS)], check=True, capture_output=True, text=True)
    return int(printed.stdout) / 1000


def process_us(code: str) -> float:
    start = time.perf_counter_ns()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter_ns() - start) / 1000


def in_turns(turns: int, *sides: Callable[[], float]) -> list[float]:
    rows = [[side() for side in sides] for _ in range(turns)]
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def verdict(holds: bool) -> str:
    return "holds" if holds else "MISSED"


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as registry:
        os.environ["PORTALLOC_DIR"] = registry
        for warm_up in (lease_and_release, bind_and_close):
            median_us(warm_up)
        lease, bind, core = in_turns(
            TURNS, lambda: median_us(lease_and_release), lambda: median_us(bind_and_close), core_us
        )
        print(f"\nPython: medians in microseconds, {TURNS} turns of {CALLS} calls")
        # For information: a lease locks the port and probes it for TCP and UDP, which are five times the system calls.
        print(f"lease() and release      {lease:6.2f}   bind(0) and close {bind:6.2f}   ratio {lease / bind:.2f}")
        print(
            f"lease() and release      {lease:6.2f}   core's own call   {core:6.2f}   more  {lease - core:.2f}", end=""
        )
        print(f", at most 2.00: {verdict(lease - core <= 2)}")
        empty, imported = in_turns(60, lambda: process_us("pass"), lambda: process_us("import portalloc"))
        print(
            f"import portalloc         {imported:6.0f}   empty interpreter {empty:6.0f}   more  {imported - empty:.0f}",
            end="",
        )
        print(f", at most 5000: {verdict(imported - empty <= 5000)}")


if __name__ == "__main__":
    main()
