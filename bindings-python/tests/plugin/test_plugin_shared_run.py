"""`run_isolation` below xdist: one of the workers makes it, whoever is killed meanwhile, and it outlives them all."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest
from plugin_support import unavailable

if TYPE_CHECKING:
    from plugin_support import Inner

# Every worker is at the same point when it asks for the environment.
RACE = """
import os, pathlib, time
import pytest

WORKERS = 6
MEETING = pathlib.Path(os.environ["MEETING"])

@pytest.fixture(scope="session", autouse=True)
def all_are_there(worker_id):
    (MEETING / worker_id).touch()
    end = time.monotonic() + 60
    while len(list(MEETING.iterdir())) < WORKERS:
        assert time.monotonic() < end, "the other workers do not come"
        time.sleep(0.0005)

@pytest.mark.parametrize("number", range(WORKERS))
def test_asks(number, request, record):
    record(id=request.getfixturevalue("run_isolation").id)
"""

# Counts the environments that are made.
COUNTS = """
from portalloc_pytest import holding

create_environment = holding.create_environment

def create_and_tell(options, **arguments):
    environment = create_environment(options, **arguments)
    with open("made", "a") as file:
        file.write(environment.id + chr(10))
    return environment

holding.create_environment = create_and_tell
"""


def test_one_of_many_that_ask_at_once_makes_it(
    inner: Inner, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEETING", str(tmp_path_factory.mktemp("meeting")))
    inner.conftest(COUNTS)
    inner.suite(RACE)
    inner.run("-n6", "--dist=each").assert_outcomes(passed=36)
    assert len({record["pid"] for record in inner.records()}) == 6
    (made,) = (inner.path / "made").read_text().splitlines()
    assert {record["id"] for record in inner.records()} == {made}


def test_it_is_made_when_the_first_test_needs_it(inner: Inner) -> None:
    inner.suite(
        """
        import portalloc

        def test_before(free_port):
            assert portalloc.environments() == []

        def test_uses(run_isolation):
            (seen,) = portalloc.environments()
            assert (seen.isolation_id, seen.lifetime) == (run_isolation.id, "kept")

        def test_afterwards():
            assert len(portalloc.environments()) == 1
        """
    )
    inner.run("-n1").assert_outcomes(passed=3)


# The first worker dies while it makes the environment. A child that it has forked just then lives on, and has what it
# had open, except for the pipes: at the end of one the controller sees that a worker has died.
DIES = """
import contextlib, signal, time
from portalloc_pytest import holding
from portalloc_pytest.board import Board

def die():
    try:
        os.close(os.open("dead", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    if (child := os.fork()) == 0:
        for descriptor in map(int, os.listdir("/proc/self/fd")):
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(f"/proc/self/fd/{descriptor}").startswith("pipe:"):
                    os.close(descriptor)
        time.sleep(600)
    with open("child", "w") as file:
        file.write(str(child))
    os.kill(os.getpid(), signal.SIGKILL)

def dies(before, function, after, when=lambda facts: True):
    def run(*arguments, **facts):
        if before and when(facts):
            die()
        result = function(*arguments, **facts)
        if after and when(facts):
            die()
        return result
    return run
"""

DEATHS = {
    "before it tells anything": "Board.tell = dies(True, Board.tell, False, lambda facts: 'before' in facts)",
    "before it makes one": "holding.create_environment = dies(True, holding.create_environment, False)",
    "after it has made one": "holding.create_environment = dies(False, holding.create_environment, True)",
    "before it tells which": "Board.tell = dies(True, Board.tell, False, lambda facts: 'id' in facts)",
    "after it has told which": "Board.tell = dies(False, Board.tell, True, lambda facts: 'id' in facts)",
}


@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_dies_while_it_makes_it_is_in_nobodys_way(inner: Inner, death: str, workers: int) -> None:
    inner.conftest(COUNTS + DIES + DEATHS[death] + "\n")
    inner.suite(
        """
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_asks(number, run_isolation, record):
            record(id=run_isolation.id, there=run_isolation.temp_dir.is_dir())
        """
    )
    try:
        result = inner.run(f"-n{workers}")
    finally:
        os.kill(int((inner.path / "child").read_text()), signal.SIGKILL)
    result.assert_outcomes(failed=1, passed=5)
    (made,) = (inner.path / "made").read_text().splitlines()
    assert {record["id"] for record in inner.records()} == {made}
    assert all(record["there"] for record in inner.records())


DIES_AFTERWARDS = """
import os, signal
import pytest

@pytest.mark.parametrize("number", range(4))
def test_dies(number, run_isolation, record):
    record(id=run_isolation.id)
    if number in (0, 2):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_outlives_every_worker(inner: Inner) -> None:
    inner.conftest(COUNTS)
    inner.suite(DIES_AFTERWARDS)
    inner.run("-n1").assert_outcomes(failed=2, passed=2)
    (made,) = (inner.path / "made").read_text().splitlines()
    assert [record["id"] for record in inner.records()] == [made] * 4
    assert len({record["pid"] for record in inner.records()}) == 3


@pytest.mark.parametrize("argument", ["--max-worker-restart=0", "-x", "--maxfail=1"])
def test_a_run_that_ends_early_leaves_nothing(inner: Inner, argument: str) -> None:
    inner.suite(DIES_AFTERWARDS)
    result = inner.run("-n1", argument)
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)
    assert inner.records()


def test_what_a_test_keeps_for_the_controller_is_not_taken_for_it(inner: Inner) -> None:
    inner.project("ports = 1\n")
    inner.suite(
        f"""
        import os
        import portalloc

        def test_cannot_be_made(run_isolation):
            pass

        def test_keeps(record):
            kept = portalloc.environment(kept=True, owner_pid=os.getppid(), pool="{inner.ports[1]}")
            record(id=kept.id)
        """
    )
    with portalloc.lease(exact=[inner.ports[0]]):
        result = inner.run("-n1", f"--portalloc-pool={inner.ports[0]}")
    result.assert_outcomes(errors=1, passed=1)
    (left,) = portalloc.environments()
    assert (left.isolation_id, left.status) == (inner.record()["id"], "stale")
    assert portalloc.cleanup_stale() == [left.isolation_id]


def test_a_worker_cannot_end_it_by_accident(inner: Inner) -> None:
    inner.suite(
        """
        import gc
        import portalloc

        def test_leaves_its_block(run_isolation):
            with run_isolation:
                pass
            gc.collect()

        def test_uses(run_isolation):
            assert portalloc.validate(run_isolation.id)
        """
    )
    inner.run("-n1").assert_outcomes(passed=2)


def test_a_server_that_outlives_its_worker_is_told(inner: Inner) -> None:
    inner.suite(
        """
        import subprocess, sys
        import portalloc

        def test_leaves_a_server(run_isolation, record):
            port = run_isolation.ports[0]
            server = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                      start_new_session=True)
            record(port=port, server=server.pid)
            portalloc.wait_until_open(port, wait=60)
        """
    )
    try:
        result = inner.run("-n1", "--portalloc-leak=error")
    finally:
        seen = inner.record()
        os.kill(seen["server"], signal.SIGKILL)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    line = f"port {seen['port']} is given back, but still listened on by PID {seen['server']} *"
    result.stdout.fnmatch_lines(["*portalloc: ports of run_isolation*", line])


def test_a_project_file_with_a_guard_is_no_obstacle(inner: Inner) -> None:
    """A kept environment has no guard: no process is there to keep its sockets."""
    inner.project('names = ["web"]\nguard = true\n')
    inner.suite(
        """
        import socket

        def test_serves(run_isolation):
            socket.create_server(("127.0.0.1", run_isolation["web"])).close()
        """
    )
    inner.run("-n1").assert_outcomes(passed=1)


def test_a_controller_without_the_plugin_is_named(inner: Inner) -> None:
    inner.conftest(
        """
@pytest.hookimpl(trylast=True, optionalhook=True)
def pytest_configure_node(node):
    del node.workerinput["portalloc_run"]
"""
    )
    inner.suite("def test_wants(run_isolation): pass\n\ndef test_has(free_port): pass")
    result = inner.run("-n1")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["run_isolation cannot be shared by the workers: * does not have the plugin portalloc"])


def test_a_controller_that_cannot_open_a_file_is_told_of(inner: Inner) -> None:
    inner.conftest(
        """
from portalloc_pytest.board import Board

def put_up():
    raise OSError(24, "Too many open files")

Board.put_up = put_up
"""
    )
    inner.suite("def test_wants(run_isolation): pass\n\ndef test_has(free_port): pass")
    result = inner.run("-n1")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["run_isolation cannot be shared by the workers: *Too many open files"])


# In a PID namespace of its own a PID means another process, as on another machine.
ELSEWHERE = """#!/bin/sh
exec {unshare} --pid --fork --mount-proc {python} "$@"
"""


def test_a_worker_that_cannot_see_the_controller_says_so(inner: Inner) -> None:
    unshare = "unshare" if os.geteuid() == 0 else "unshare --map-root-user"
    probe = subprocess.run(
        [*unshare.split(), "--pid", "--fork", "--mount-proc", "true"], capture_output=True, text=True
    )
    if probe.returncode != 0:
        unavailable(f"no PID namespace to be had: {probe.stderr.strip()}")
    python = inner.path / "python-elsewhere"
    python.write_text(ELSEWHERE.format(unshare=unshare, python=sys.executable))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    inner.suite("def test_wants(run_isolation): pass\n\ndef test_has(free_port, isolation): pass")
    result = inner.run("--dist=load", f"--tx=popen//python={python}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["run_isolation is one environment for all workers, and this worker cannot see *"])
    assert portalloc.environments() == []
