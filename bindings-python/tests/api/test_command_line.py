"""`portalloc` and `python -m portalloc`: one and the same command line, which ends as commands end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import DEADLINE, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Child, World

#: The console script is installed beside the interpreter.
SCRIPT = [str(Path(sys.executable).parent / "portalloc")]
WAYS = [pytest.param(SCRIPT, id="portalloc"), pytest.param([sys.executable, "-m", "portalloc"], id="python -m")]


def done(command: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=DEADLINE
    )


@pytest.mark.parametrize("way", WAYS)
class TestBothWays:
    """What both do alike, each against the contract of the command line."""

    def test_help(self, way: list[str]) -> None:
        shown = done(way, "--help")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "Usage: portalloc <COMMAND>" in shown.stdout
        assert "Exit status:" in shown.stdout

    def test_version(self, way: list[str]) -> None:
        shown = done(way, "version")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert portalloc.__version__ in shown.stdout

    def test_list_shows_what_python_holds(self, way: list[str]) -> None:
        with portalloc.lease(2) as lease:
            shown = done(way, "list", "--json")
            assert (shown.returncode, shown.stderr) == (0, "")
            assert [one["ports"] for one in json.loads(shown.stdout)["leases"]] == [list(lease)]

    @pytest.mark.parametrize(
        ("arguments", "status", "code"),
        [
            (["validate", "--id", "0123456789ab"], 4, "not_found"),
            (["validate", "--id", "nonsense"], 2, ""),
            (["create", "--ports", "0"], 2, ""),
            (["create", "--pool", "1-0"], 2, "invalid_argument"),
            (["frobnicate"], 2, ""),
            ([], 2, ""),
        ],
    )
    def test_failures(self, way: list[str], arguments: list[str], status: int, code: str) -> None:
        shown = done(way, *arguments)
        assert (shown.returncode, shown.stdout) == (status, "")
        assert code in shown.stderr
        assert shown.stderr
        assert "Traceback" not in shown.stderr

    def test_no_ports_to_be_had(self, way: list[str], world: World) -> None:
        with portalloc.lease(exact=[world.base]):
            shown = done(way, "create", "--pool", str(world.base), "--ports", "1")
        assert shown.returncode == 3
        assert "pool_exhausted" in shown.stderr

    def test_run_ends_as_its_command(self, way: list[str], world: World) -> None:
        shown = done(way, "run", "--names", "web", "--", "sh", "-c", "echo $WEB_PORT {web}; exit 7")
        assert shown.returncode == 7, shown.stderr
        first, second = shown.stdout.split()
        assert first == second
        assert int(first) in world.ports
        assert portalloc.leases() == []
        assert world.left_behind() == []

    def test_what_one_makes_the_other_ends(self, way: list[str], world: World) -> None:
        made = json.loads(done(way, "create", "--ports", "1", "--json").stdout)
        (info,) = portalloc.environments()
        assert info.isolation_id in json.dumps(made)
        assert (info.status, info.lifetime) == ("active", "kept")
        shown = done(way, "cleanup", "--id", info.isolation_id)
        assert shown.returncode == 0, shown.stderr
        assert portalloc.environments() == []
        assert world.left_behind() == []

    def test_arguments_that_are_no_text(self, way: list[str]) -> None:
        command = [os.fsencode(word) for word in way]
        shown = subprocess.run(
            [*command, b"run", b"--", b"printf", b"%s", b"\xff"], capture_output=True, timeout=DEADLINE
        )
        assert (shown.returncode, shown.stdout) == (0, b"\xff"), shown.stderr

    def test_ctrl_c_ends_it_by_the_signal(self, way: list[str], children: Callable[..., Child], world: World) -> None:
        child = children([*way, "wait", "--timeout", "3600s", str(world.base)], stderr=subprocess.PIPE)
        until("it handles the signal by its default", lambda: is_waiting(child.pid))
        child.signal(signal.SIGINT)
        assert child.status() == -signal.SIGINT
        assert child.process.stderr is not None
        assert b"Traceback" not in child.process.stderr.read()

    def test_a_reader_that_has_seen_enough(self, way: list[str]) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as broken:
            shown = subprocess.run(
                [*way, "list", "--json"], stdout=broken, stderr=subprocess.PIPE, text=True, timeout=DEADLINE
            )
        assert shown.returncode != 0
        assert "Traceback" not in shown.stderr
        assert "panicked" not in shown.stderr
        assert "BrokenPipe" not in shown.stderr


def is_waiting(pid: int) -> bool:
    """Whether it has loaded the command line, and an interrupt would end it."""
    # In this order: Python has its handler from before it loads anything until the command line takes it away.
    if "_portalloc" not in Path(f"/proc/{pid}/maps").read_text():
        return False
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return not int(status["SigCgt"], 16) & (1 << (signal.SIGINT - 1))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["help", "run"], ["version"], ["list"], ["list", "--json"], ["man"], ["completions", "bash"], ["x"]],
    ids=" ".join,
)
def test_both_ways_say_the_same(arguments: list[str]) -> None:
    ways = [done(way.values[0], *arguments) for way in WAYS]  # type: ignore[arg-type]
    assert len({(way.returncode, way.stdout, way.stderr) for way in ways}) == 1
    assert ways[0].stdout or ways[0].stderr


def test_an_interrupt_that_is_ignored_stays_ignored(children: Callable[..., Child], world: World) -> None:
    """As for every program that a shell starts in the background."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *SCRIPT, "wait", "--timeout", "3600s", str(world.base)]
    child = children(command)
    until("it waits", lambda: is_waiting(child.pid))
    child.signal(signal.SIGINT)
    ignored = dict(line.split(":", 1) for line in Path(f"/proc/{child.pid}/status").read_text().splitlines())["SigIgn"]
    assert int(ignored, 16) & (1 << (signal.SIGINT - 1))
    with portalloc.lease(exact=[world.base]) as lease, lease.socket():
        assert child.status() == 0
