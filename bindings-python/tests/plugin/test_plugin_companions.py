"""Beside other plugins: those that shuffle tests, repeat them, and the run without a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from plugin_support import need

if TYPE_CHECKING:
    from plugin_support import Inner

SUITE = """
import socket
import pytest

@pytest.mark.parametrize("number", range(20))
def test_all(number, free_port, free_ports, isolation, run_isolation, listening_socket, record):
    for port in (free_port, *free_ports(2), *isolation.ports):
        socket.create_server(("127.0.0.1", port)).close()
    record(id=run_isolation.id, number=number)
"""


@pytest.mark.parametrize("arguments", [(), ("-n3",)])
def test_random_order(inner: Inner, arguments: tuple[str, ...]) -> None:
    need("pytest_randomly")
    inner.suite(SUITE)
    inner.run("--randomly-seed=7", "--portalloc-leak=error", *arguments, plugins=["randomly"]).assert_outcomes(
        passed=20
    )
    numbers = [record["number"] for record in inner.records()]
    assert sorted(numbers) == list(range(20))
    assert numbers != sorted(numbers), "the order is not random"
    assert len({record["id"] for record in inner.records()}) == 1


def test_without_a_cache(inner: Inner) -> None:
    inner.suite(SUITE)
    inner.run("-pno:cacheprovider", "-n2").assert_outcomes(passed=20)


@pytest.mark.parametrize("arguments", [(), ("-n2",)])
def test_tests_that_are_run_again(inner: Inner, arguments: tuple[str, ...]) -> None:
    need("pytest_rerunfailures")
    inner.suite(
        """
        import portalloc

        attempts = []

        def test_succeeds_at_last(free_port, isolation, run_isolation, record):
            attempts.append(free_port)
            (isolation.temp_dir / "log").write_text(f"attempt {len(attempts)}")
            record(id=isolation.id, run=run_isolation.id,
                   leases=[list(lease.ports) for lease in portalloc.leases()], mine=[[free_port]],
                   environments=len(portalloc.environments()))
            assert len(attempts) == 3
        """
    )
    result = inner.run("--reruns=3", "--portalloc-leak=error", *arguments, plugins=["rerunfailures"])
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] == 1
    assert outcomes["rerun"] == 2
    seen = inner.records()
    assert len(seen) == 3
    assert len({record["id"] for record in seen}) == 3, "each attempt has an environment of its own"
    assert len({record["run"] for record in seen}) == 1
    assert all(record["leases"] == record["mine"] for record in seen), "an attempt has left a lease to the next one"
    assert all(record["environments"] == 2 for record in seen), "an attempt has left its environment"


def test_the_leak_of_one_attempt_is_not_that_of_the_next(inner: Inner) -> None:
    need("pytest_rerunfailures")
    inner.suite(
        """
        import socket

        kept = []

        def test_leaks_when_it_succeeds(free_port):
            server = socket.create_server(("127.0.0.1", free_port))
            kept.append(server)
            assert len(kept) == 2
        """
    )
    result = inner.run("--reruns=2", plugins=["rerunfailures"])
    assert result.parseoutcomes()["rerun"] == 1
    result.assert_outcomes(passed=1, warnings=1)


def test_repeated_in_one_process(inner: Inner) -> None:
    """As tools do that call pytest again and again, and as our own state must not mind."""
    inner.suite(SUITE)
    program = "import sys, pytest; sys.exit(any([pytest.main(sys.argv[1:]) for _ in range(3)]))"
    command = inner.arguments("-q", "-pno:cacheprovider")
    result = inner.pytester.run(command[0], "-c", program, *command[3:])
    assert result.ret == 0
    assert len({record["id"] for record in inner.records()}) == 3
