"""The fixtures with pytest-asyncio's names: ours if the ini line is there, pytest-asyncio's if it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from plugin_support import need

if TYPE_CHECKING:
    from plugin_support import Inner

ENABLED = "[pytest]\nportalloc_asyncio_fixtures = true\nasyncio_default_fixture_loop_scope = function\n"
DISABLED = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"

# As the suite of somebody who uses pytest-asyncio, plus what tells whose ports they are.
SUITE = """
import asyncio, socket
import pytest

@pytest.mark.asyncio
async def test_serves(unused_tcp_port, unused_udp_port, record):
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", unused_tcp_port)
    async with server:
        _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", unused_udp_port))
    record(ports=[unused_tcp_port, unused_udp_port])

def test_factories(unused_tcp_port_factory, unused_udp_port_factory, record):
    record(ports=[*(unused_tcp_port_factory() for _ in range(20)), *(unused_udp_port_factory() for _ in range(20))])
"""

# Whose the fixtures are is told by who defines them.
WHOSE = """
@pytest.fixture(autouse=True)
def tell_whose(request, record):
    names = [name for name in request.fixturenames if name.startswith("unused_")]
    record(whose=sorted({request._get_active_fixturedef(name).func.__module__ for name in names
                         if request.getfixturevalue(name)}))
"""

AUTOLOADED: tuple[str, ...] = ()
FIRST = ("-ppytest_asyncio.plugin", "-pportalloc")
LAST = ("-pportalloc", "-ppytest_asyncio.plugin")


@pytest.fixture
def only_named_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def whose(inner: Inner) -> set[str]:
    return {module for record in inner.records() for module in record.get("whose", ())}


def ports(inner: Inner) -> list[int]:
    return [port for record in inner.records() for port in record.get("ports", ())]


@pytest.mark.usefixtures("only_named_plugins")
@pytest.mark.parametrize("order", [FIRST, LAST], ids=["asyncio first", "asyncio last"])
@pytest.mark.parametrize("enabled", [True, False])
def test_the_line_decides_and_not_the_order(inner: Inner, order: tuple[str, ...], *, enabled: bool) -> None:
    need("pytest_asyncio")
    inner.pytester.makeini(ENABLED if enabled else DISABLED)
    inner.conftest(WHOSE)
    inner.suite(SUITE)
    inner.run(*order, plugins=["asyncio"]).assert_outcomes(passed=2)
    seen = ports(inner)
    assert len(seen) == 42
    if enabled:
        assert whose(inner) == {"portalloc_pytest.dropins"}
        assert set(seen) <= set(inner.ports)
        assert len(set(seen[2:])) == 40
    else:
        assert whose(inner) == {"pytest_asyncio.plugin"}
        assert not set(seen) & set(inner.ports)


@pytest.mark.parametrize("enabled", [True, False])
def test_loaded_by_their_entry_points(inner: Inner, *, enabled: bool) -> None:
    need("pytest_asyncio")
    inner.pytester.makeini(ENABLED if enabled else DISABLED)
    inner.conftest(WHOSE)
    inner.suite(SUITE)
    inner.run(plugins=["asyncio"]).assert_outcomes(passed=2)
    assert whose(inner) == {"portalloc_pytest.dropins" if enabled else "pytest_asyncio.plugin"}


@pytest.mark.usefixtures("only_named_plugins")
@pytest.mark.parametrize("place", ["conftest", "module"])
def test_loaded_by_the_suite_itself(inner: Inner, place: str) -> None:
    need("pytest_asyncio")
    inner.pytester.makeini(ENABLED)
    line = 'pytest_plugins = ["pytest_asyncio.plugin"]\n'
    # A module of the suite can do so for fixtures only: the options come too late.
    late = 'pytest_plugins = ["rival"]\n'
    inner.pytester.makepyfile(
        rival="""
        import pytest

        @pytest.fixture
        def unused_tcp_port():
            return 1

        @pytest.fixture(scope="session")
        def unused_tcp_port_factory():
            return lambda: 1
        """
    )
    inner.conftest((line if place == "conftest" else "") + WHOSE)
    inner.suite(
        (late if place == "module" else "")
        + "def test_one(unused_tcp_port): pass\ndef test_two(unused_tcp_port_factory): pass\n"
    )
    result = inner.run("-pportalloc", "-pno:cacheprovider")
    result.assert_outcomes(passed=2)
    assert whose(inner) == {"portalloc_pytest.dropins"}


def test_a_conftest_overrides_both(inner: Inner) -> None:
    inner.pytester.makeini(ENABLED)
    inner.conftest("@pytest.fixture\ndef unused_tcp_port():\n    return 'mine'\n")
    inner.suite("def test_mine(unused_tcp_port):\n    assert unused_tcp_port == 'mine'\n")
    inner.run("-Wignore::pytest.PytestConfigWarning").assert_outcomes(passed=1)


def test_they_do_without_pytest_asyncio(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\nportalloc_asyncio_fixtures = true\n")
    inner.suite(
        """
        import portalloc

        taken = []

        def test_factories_hold_until_the_session_ends(unused_tcp_port_factory, unused_udp_port_factory):
            taken.extend([unused_tcp_port_factory(), unused_tcp_port_factory(), unused_udp_port_factory()])

        def test_later(unused_tcp_port_factory):
            taken.append(unused_tcp_port_factory())
            assert len(set(taken)) == 4
            held = [port for lease in portalloc.leases() for port in lease.ports]
            assert sorted(held) == sorted(taken)

        def test_ports_are_held_for_the_test(unused_tcp_port, unused_udp_port, record):
            record(ports=[unused_tcp_port, unused_udp_port])
            held = [port for lease in portalloc.leases() for port in lease.ports]
            assert {unused_tcp_port, unused_udp_port} < set(held)
            assert unused_tcp_port != unused_udp_port

        def test_and_no_longer():
            assert len([port for lease in portalloc.leases() for port in lease.ports]) == 4
        """
    )
    inner.run("-Werror").assert_outcomes(passed=4)


def test_without_the_line_there_are_none(inner: Inner) -> None:
    inner.suite("def test_wants(unused_tcp_port): pass\n")
    result = inner.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'unused_tcp_port' not found*"])
