"""Plugins that fork for each test, and tests that fork: a child's leases are its own, its parent's stay as they are."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from plugin_support import need

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugin_support import Inner

# What such plugins do, in short: the whole protocol of a test in a child, in a `tryfirst` implementation of the hook.
FORK_FOR_EACH_TEST = """
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            reports = runtestprotocol(item, log=False, nextitem=None)
            told = [item.config.hook.pytest_report_to_serializable(config=item.config, report=report)
                    for report in reports]
            with open(writing, "w") as pipe:
                json.dump(told, pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading) as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for data in json.loads(told):
        report = item.config.hook.pytest_report_from_serializable(config=item.config, data=data)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""


def own_plugin(inner: Inner) -> tuple[str, ...]:
    inner.conftest(FORK_FOR_EACH_TEST)
    return ()


def pytest_forked(inner: Inner) -> tuple[str, ...]:
    need("pytest_forked")
    inner.pytester.makepyfile(trivial="def test_nothing(): pass\n")
    if inner.run("--forked", "-pno:portalloc", "trivial.py").ret != pytest.ExitCode.OK:
        pytest.skip("this pytest-forked does not work with this pytest at all")
    return ("--forked",)


WAYS = pytest.mark.parametrize("way", [own_plugin, pytest_forked])


@WAYS
def test_every_fixture_in_a_child_for_each_test(inner: Inner, way: Callable[[Inner], tuple[str, ...]]) -> None:
    inner.pytester.makeini("[pytest]\nportalloc_asyncio_fixtures = true\nportalloc_leak = error")
    inner.suite(
        """
        import os, socket
        import portalloc, pytest

        @pytest.mark.parametrize("again", range(3))
        def test_all(again, free_port, free_ports, port_lease, listening_socket, isolation, unused_tcp_port,
                     unused_udp_port, unused_tcp_port_factory, unused_udp_port_factory, run_isolation, record):
            mine = [free_port, *free_ports(2), *port_lease(2), listening_socket.getsockname()[1], *isolation.ports,
                    unused_tcp_port, unused_udp_port, unused_tcp_port_factory(), unused_udp_port_factory()]
            every = [*mine, *run_isolation.ports]
            assert len(set(every)) == len(every)
            assert {portalloc.who(port).lease.holder.pid for port in mine} == {os.getpid()}
            assert {portalloc.who(port).lease.holder.pid for port in run_isolation.ports} == {os.getppid()}
            for port in every:
                if port != listening_socket.getsockname()[1]:
                    socket.create_server(("127.0.0.1", port)).close()
            record(id=run_isolation.id, temp=run_isolation.temp_dir.is_dir())

        def test_nothing_is_left_but_that_of_the_run(run_isolation):
            assert [one.isolation_id for one in portalloc.environments()] == [run_isolation.id]
            assert portalloc.leases() == []
        """
    )
    inner.run(*way(inner)).assert_outcomes(passed=4)
    seen = inner.records()
    assert len({record["pid"] for record in seen}) == 3, "no child for each test"
    assert len({record["id"] for record in seen}) == 1
    assert all(record["temp"] for record in seen), "a child has ended the environment of the run"


@WAYS
def test_forks_below_xdist(inner: Inner, way: Callable[[Inner], tuple[str, ...]]) -> None:
    inner.suite(
        """
        import pytest

        @pytest.mark.parametrize("again", range(6))
        def test_any(again, free_port, run_isolation, record):
            record(id=run_isolation.id, port=free_port)
        """
    )
    inner.run("-n2", *way(inner)).assert_outcomes(passed=6)
    assert len({record["id"] for record in inner.records()}) == 1
    assert len({record["pid"] for record in inner.records()}) == 6


@WAYS
def test_a_child_below_xdist_may_also_ask_for_it(inner: Inner, way: Callable[[Inner], tuple[str, ...]]) -> None:
    inner.suite(
        """
        import pytest

        @pytest.mark.parametrize("again", range(4))
        def test_asks(again, request, record):
            record(id=request.getfixturevalue("run_isolation").id)
        """
    )
    inner.run("-n2", *way(inner)).assert_outcomes(passed=4)
    assert len({record["id"] for record in inner.records()}) == 1
    assert len({record["pid"] for record in inner.records()}) == 4


def test_the_report_of_a_child_says_who_has_the_port(inner: Inner) -> None:
    inner.conftest(FORK_FOR_EACH_TEST)
    with socket.create_server(("127.0.0.1", inner.ports[-1])):
        inner.suite(f"import socket\ndef test_clash():\n    socket.socket().bind(('127.0.0.1', {inner.ports[-1]}))\n")
        result = inner.run()
        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines([f"port {inner.ports[-1]} is in use by PID {os.getpid()} *"])


def test_a_child_that_goes_through_the_teardown_ends_nothing_of_its_parent(inner: Inner) -> None:
    """As a test that forks and raises in the child: pytest goes on twice, and the fixtures are torn down twice."""
    inner.project("ports = 1\n")
    inner.suite(
        """
        import os
        import portalloc, pytest

        @pytest.fixture
        def two_processes(request, free_port, isolation, run_isolation, unused_tcp_port_factory):
            ports = [free_port, *isolation.ports, *run_isolation.ports, unused_tcp_port_factory()]
            (isolation.temp_dir / "file").touch()
            return ports, isolation

        def test_forks(two_processes, record):
            ports, isolation = two_processes
            child = os.fork()
            if child == 0:
                return
            assert os.waitpid(child, 0)[1] == 0
            assert [port for port in ports if not portalloc.who(port).leased] == []
            assert (isolation.temp_dir / "file").exists()
            record(checked=True)
        """
    )
    # The parent's: the child ends without its own summary by this.
    inner.conftest(
        """
parent = os.getpid()

@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    if os.getpid() != parent:
        config.pluginmanager.get_plugin("portalloc_run").pytest_unconfigure()
        os._exit(0)
"""
    )
    inner.pytester.makeini("[pytest]\nportalloc_asyncio_fixtures = true\nportalloc_leak = error")
    result = inner.run()
    result.assert_outcomes(passed=1)
    result.stderr.no_fnmatch_line("portalloc: *")
    assert inner.record()["checked"]
