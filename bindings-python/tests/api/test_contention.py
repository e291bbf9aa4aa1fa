"""Many processes and few ports, with a judge that knows nothing of portalloc: no port has two holders at once."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support import Child, World

PROCESSES = 8

#: Each port that it has is a file that only one can create. It ends by itself, after as many leases.
CONTESTANT = """
import json, os, portalloc, random, sys
judge, count = sys.argv[1], int(sys.argv[2])
sys.stdin.readline()
leases = overlaps = 0
for _ in range(count):
    with portalloc.lease(random.choice((1, 1, 2, 3)), wait=60) as lease:
        leases += 1
        for port in lease:
            try:
                os.close(os.open(f"{judge}/{port}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                overlaps += 1
        for port in lease:
            os.unlink(f"{judge}/{port}")
print(json.dumps([leases, overlaps]), flush=True)
sys.stdin.readline()
"""


def contestant(children: Callable[..., Child], judge: Path, count: int) -> Child:
    return children([sys.executable, "-c", CONTESTANT, str(judge), str(count)])


@pytest.fixture
def judge(world: World) -> Path:
    directory = world.scratch / "judge"
    directory.mkdir()
    return directory


def test_no_port_has_two_holders(
    children: Callable[..., Child], judge: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fewer ports than would do for all of them at once, so that they wait for each other.
    monkeypatch.setenv("PORTALLOC_POOL", f"{world.base}-{world.base + 8}")
    contestants = [contestant(children, judge, 200) for _ in range(PROCESSES)]
    for one in contestants:
        one.send("go")
    assert [json.loads(one.line()) for one in contestants] == [[200, 0]] * PROCESSES
    assert portalloc.leases() == []


def test_the_judge_sees_an_overlap(children: Callable[..., Child], judge: Path, world: World) -> None:
    """As if each port had a holder already; else the test above would prove nothing."""
    for port in world.ports:
        (judge / str(port)).touch()
    one = contestant(children, judge, 1)
    one.send("go")
    leases, overlaps = json.loads(one.line())
    assert leases == 1
    assert overlaps >= 1
