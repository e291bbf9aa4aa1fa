"""One environment for the whole run: the same everywhere, and gone at the end, whatever the end is."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import portalloc
import pytest
from plugin_support import Inner, is_alive, until

TELLS = """
import pytest

@pytest.mark.parametrize("number", range(8))
def test_tells(number, run_isolation, record):
    record(id=run_isolation.id, ports=list(run_isolation.ports), names=list(run_isolation.names),
           temp=str(run_isolation.temp_dir), there=run_isolation.temp_dir.is_dir(), file=run_isolation.env_file)
"""


@pytest.mark.parametrize("arguments", [(), ("-n0",), ("-n3",), ("-n2", "--dist=loadgroup"), ("-n2", "--dist=each")])
def test_is_the_same_in_all_processes(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.project('names = ["web", "db"]\n')
    inner.suite(TELLS)
    result = inner.run("-Werror::portalloc_pytest.PortLeakWarning", *arguments)
    result.assert_outcomes(passed=16 if "--dist=each" in arguments else 8)
    seen = inner.records()
    processes = {record.pop("pid") for record in seen}
    assert (len(processes) > 1) == (arguments not in [(), ("-n0",)])
    assert all(record == seen[0] for record in seen)
    assert seen[0]["names"] == ["web", "db"]
    assert set(seen[0]["ports"]) <= set(inner.ports)
    assert seen[0]["there"]
    assert seen[0]["file"] is None
    assert Path(seen[0]["temp"]).parent == inner.temp


def test_is_cleaned_up_and_not_just_dropped(inner: Inner) -> None:
    inner.conftest(
        """
import atexit, sys

@atexit.register
def end_without_collecting_objects():
    sys.stdout.flush()
    os._exit(0)
"""
    )
    inner.suite("kept = []\n\ndef test_keeps(run_isolation):\n    kept.append(run_isolation)\n")
    inner.run().assert_outcomes(passed=1)
    assert inner.leftovers() == []


def test_is_not_made_for_a_run_that_does_not_use_it(inner: Inner) -> None:
    inner.suite(
        """
        import portalloc

        def test_other(free_port):
            assert portalloc.environments() == []
        """
    )
    inner.run().assert_outcomes(passed=1)


def test_a_fixture_of_the_user_with_this_name_has_none_made(inner: Inner) -> None:
    inner.suite(
        """
        import sys, pytest

        @pytest.fixture(scope="session")
        def run_isolation():
            return "mine"

        def test_mine(run_isolation):
            assert run_isolation == "mine"
            assert "portalloc" not in sys.modules
        """
    )
    inner.run().assert_outcomes(passed=1)


def test_asked_for_while_a_test_runs(inner: Inner) -> None:
    inner.suite("def test_asks(request, record):\n    record(id=request.getfixturevalue('run_isolation').id)\n")
    inner.run().assert_outcomes(passed=1)
    inner.run("-n1").assert_outcomes(passed=1)
    assert len({record["id"] for record in inner.records()}) == 2


@pytest.mark.parametrize("arguments", [(), ("-n2",)])
def test_a_failure_to_make_it_is_that_of_the_tests_that_use_it(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.project("ports = 1\n")
    inner.suite(
        """
        def test_first(run_isolation):
            pass

        def test_second(run_isolation):
            pass

        def test_has_no_use_for_it():
            pass
        """
    )
    with portalloc.lease(exact=[inner.ports[0]]):
        result = inner.run(f"--portalloc-pool={inner.ports[0]}", *arguments)
    result.assert_outcomes(errors=2, passed=1)
    assert any("PoolExhaustedError" in line and str(inner.ports[0]) in line for line in result.outlines)


def test_what_failed_once_is_not_tried_again_for_each_test(inner: Inner) -> None:
    """It may have waited for `portalloc_timeout` seconds."""
    inner.conftest(
        """
from portalloc_pytest import holding

def create(options, **_):
    with open(os.environ["RECORDS"], "a") as file:
        file.write("1" + chr(10))
    raise OSError("not today")

holding.create_environment = create
"""
    )
    inner.suite("def test_one(run_isolation): pass\n\ndef test_two(run_isolation): pass\n")
    inner.run().assert_outcomes(errors=2)
    assert len(inner.records()) == 1


def test_a_crashed_worker_is_replaced_and_attaches_again(inner: Inner) -> None:
    inner.suite(
        """
        import os, signal
        import pytest

        @pytest.mark.parametrize("number", range(20))
        def test_some(number, run_isolation, free_port, isolation, record):
            record(id=run_isolation.id, there=run_isolation.temp_dir.is_dir(), number=number)
            if number in (3, 12):
                os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = inner.run("-n2")
    result.assert_outcomes(failed=2, passed=18)
    seen = inner.records()
    assert {record["number"] for record in seen} == set(range(20))
    assert len({record["id"] for record in seen}) == 1
    assert all(record["there"] for record in seen)
    assert len({record["pid"] for record in seen}) >= 3, "no worker was replaced"
    # The killed workers' leases are over. Of their environments a record is left: nobody was there to remove it.
    assert portalloc.leases() == []
    left = portalloc.environments()
    assert [one.status for one in left] == ["stale", "stale"]
    assert seen[0]["id"] not in {one.isolation_id for one in left}
    assert sorted(portalloc.cleanup_stale()) == sorted(one.isolation_id for one in left)


WAITS = """
import os, time
import pytest

@pytest.mark.parametrize("number", range(4))
def test_waits(number, run_isolation, record):
    record(id=run_isolation.id, ports=list(run_isolation.ports), temp=str(run_isolation.temp_dir),
           parent=os.getppid())
    time.sleep(1000)
"""


@pytest.mark.parametrize("arguments", [(), ("-n2",)])
def test_ctrl_c_cleans_up(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.suite(WAITS)
    with inner.start(*arguments) as running:
        expected = 2 if arguments else 1
        seen = until(lambda: len(inner.records()) == expected and inner.records(), "the tests run")
        assert [one.isolation_id for one in portalloc.environments()] == [seen[0]["id"]]
        os.killpg(running.process.pid, signal.SIGINT)  # as a terminal does it: to everybody
        assert running.wait() == pytest.ExitCode.INTERRUPTED, running.output
    assert portalloc.environments() == []
    assert not Path(seen[0]["temp"]).exists()


@pytest.mark.parametrize("arguments", [(), ("-n2",)])
def test_it_is_over_when_its_holder_is_killed(inner: Inner, arguments: tuple[str, ...]) -> None:
    inner.suite(WAITS)
    with inner.start(*arguments) as running:
        expected = 2 if arguments else 1
        seen = until(lambda: len(inner.records()) == expected and inner.records(), "the tests run")
        holder = running.process.pid
        assert {record["parent" if arguments else "pid"] for record in seen} == {holder}
        ports = seen[0]["ports"]
        assert all(portalloc.who(port).leased for port in ports)
        running.process.kill()
        running.process.wait()
        # Waits for the kernel only; the workers may still run.
        with portalloc.lease(exact=ports, wait=30) as lease:
            assert list(lease) == ports
        (left,) = portalloc.environments()
        assert (left.isolation_id, left.status) == (seen[0]["id"], "stale")
    until(lambda: not any(is_alive(record["pid"]) for record in seen), "the workers are gone")
    assert portalloc.cleanup_stale() == [seen[0]["id"]]


KEEPS_A_SERVER = """
import socket

kept = []

def test_serves(run_isolation, record):
    kept.append(socket.create_server(("127.0.0.1", run_isolation.ports[0])))
    record(port=run_isolation.ports[0])
"""


def test_leaks_are_looked_for_when_the_run_is_over(inner: Inner) -> None:
    inner.suite(KEEPS_A_SERVER)
    warned = inner.run()
    warned.assert_outcomes(passed=1, warnings=1)
    assert warned.ret == pytest.ExitCode.OK
    warned.stdout.fnmatch_lines([f"*PortLeakWarning: port {inner.records()[-1]['port']} is given back*"])

    for argument in ("--portalloc-leak=error", "-Werror::portalloc_pytest.PortLeakWarning"):
        failed = inner.run(argument)
        failed.assert_outcomes(passed=1)
        assert failed.ret == pytest.ExitCode.TESTS_FAILED
        line = f"port {inner.records()[-1]['port']} is given back*"
        failed.stdout.fnmatch_lines(["*portalloc: ports of run_isolation*", line])

    silent = inner.run("--portalloc-leak=off")
    silent.assert_outcomes(passed=1, warnings=0)
    assert silent.ret == pytest.ExitCode.OK


def test_a_server_of_a_worker_ends_with_the_worker(inner: Inner) -> None:
    inner.suite(KEEPS_A_SERVER)
    result = inner.run("-n1", "--portalloc-leak=error")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK


def test_fixtures_of_the_session_may_serve_on_it_until_they_end(inner: Inner) -> None:
    inner.suite(
        """
        import socket
        import pytest

        @pytest.fixture(scope="session")
        def server(run_isolation):
            with socket.create_server(("127.0.0.1", run_isolation.ports[0])) as server:
                yield server
                assert run_isolation.temp_dir.is_dir()

        def test_one(server):
            socket.create_connection(server.getsockname(), timeout=10).close()
        """
    )
    result = inner.run("--portalloc-leak=error")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
