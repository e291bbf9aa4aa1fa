"""One cell with made-up workers: what they do reaches the figures, and what fails is written down as failed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from cell import Plan
from contestants import BY_KEY, CONTESTANTS
from run import FULL, can, measured, plan, squeezed

if TYPE_CHECKING:
    from pathlib import Path

    from contestants import Contestant

# All of them take before any gives: the cell waits for all answers before it goes on.
WORKER = """
import os, sys
count, journal = sys.argv[1:]
ports = {ports}
def note(line):
    with open(journal, "a") as opened:
        opened.write(line + "\\n")
print("ready", flush=True)
for command in sys.stdin:
    what = command.split()[0]
    if what == "paced":
        note(f"took {{os.getpid()}} 2000 {{ports}}")
        print("paced", flush=True)
    elif what == "flat":
        print("flat 100 1 1000000000", flush=True)
    else:
        note(f"bound {{os.getpid()}} 0")
        note(f"gave {{os.getpid()}} {{ports}}")
        print("memory 1024 0", flush=True)
"""


def planned(directory: Path, worker: str) -> Plan:
    return Plan(
        command=[sys.executable, "-c", worker],
        environment={},
        processes=3,
        ports=1,
        journal=str(directory / "journal"),
        paced_seconds=0.1,
        flat_seconds=0.1,
        own_namespace=False,
        kernel_range=None,
        server=None,
        server_address="",
    )


def test_workers_that_are_given_the_same_port_overlap(tmp_path: Path) -> None:
    figures = measured(planned(tmp_path, WORKER.format(ports="20000")), [])
    assert (figures["attempts"], figures["overlapping"]) == (3, 2)
    assert figures["p50_us"] == 2
    assert figures["memory_kib"] == 1024
    assert figures["allocations_per_second"] == 300


def test_workers_that_are_given_ports_of_their_own_do_not(tmp_path: Path) -> None:
    figures = measured(planned(tmp_path, WORKER.format(ports="os.getpid()")), [])
    assert (figures["attempts"], figures["overlapping"]) == (3, 0)


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        ("", "instead of saying 'ready'"),
        ("print('hello')", "said b'hello' instead of 'ready'"),
        ("print('ready'); input()", "instead of saying 'paced'"),
    ],
)
def test_a_worker_that_fails_is_a_failed_cell(tmp_path: Path, worker: str, reason: str) -> None:
    assert reason in measured(planned(tmp_path, worker), [])["failed"]


def test_workers_without_a_journal_are_a_failed_cell(tmp_path: Path) -> None:
    idle = WORKER.format(ports="20000").replace("opened.write", "str")
    assert measured(planned(tmp_path, idle), []) == {"failed": "journal: 0 processes wrote, of 3"}


@pytest.mark.parametrize("processes", FULL.processes)
@pytest.mark.parametrize("ports", FULL.ports)
def test_a_squeezed_range_has_room_for_all_and_not_for_twice_as_many(processes: int, ports: int) -> None:
    low, high = map(int, squeezed(processes, ports).split("-"))
    assert processes * ports < high - low + 1 < 2 * processes * ports + 1
    assert high < 27017


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda it: it.key)
def test_everybody_whose_range_can_be_squeezed_is_given_the_same_one(contestant: Contestant, tmp_path: Path) -> None:
    made = plan(contestant, 32, 5, "squeezed", FULL, tmp_path, own=True)
    given = [made.environment.get("PEERS_RANGE"), made.kernel_range and made.kernel_range.replace(" ", "-")]
    assert [one for one in given if one] == ([] if contestant.range == "none" else [squeezed(32, 5)])
    assert made.environment["PORTALLOC_POOL"] == squeezed(32, 5)


@pytest.mark.parametrize(
    ("key", "processes", "pool", "own_namespace", "expected"),
    [
        ("get-port", 128, "squeezed", False, True),
        ("bind0-rust", 128, "squeezed", True, True),
        # The range of the whole machine is not to be touched.
        ("bind0-rust", 2, "squeezed", False, False),
        ("detect-port", 2, "squeezed", True, False),
        ("detect-port", 128, "wide", True, True),
        ("port-for", 32, "wide", True, True),
        ("port-for", 128, "wide", True, False),
    ],
)
def test_what_cannot_be_measured_is_left_out(
    key: str, processes: int, pool: str, own_namespace: bool, expected: bool
) -> None:
    assert can(BY_KEY[key], processes, pool, own_namespace) is expected
