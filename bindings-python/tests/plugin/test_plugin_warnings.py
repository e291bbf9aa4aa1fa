"""Warnings of portalloc in a test run: seen in the summary, by one category, and not where nothing is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import portalloc
import portalloc_pytest
import pytest

if TYPE_CHECKING:
    from plugin_support import Inner


def test_the_categories() -> None:
    assert issubclass(portalloc_pytest.PortLeakWarning, portalloc.PortallocWarning)
    assert portalloc_pytest.PortLeakWarning is portalloc.PortLeakWarning
    with pytest.raises(AttributeError, match="PortLekWarning"):
        _ = portalloc_pytest.PortLekWarning  # type: ignore[attr-defined]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_lost_lease_is_in_the_summary_with_its_line(inner: Inner, workers: str) -> None:
    inner.suite("import portalloc\n\ndef test_takes():\n    port = portalloc.lease().port\n    assert port")
    result = inner.run(workers)
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(
        [
            "test_inner.py::test_takes",
            "*test_inner.py:4: PortallocWarning: the lease taken here was not released*",
            "*port = portalloc.lease().port",
        ]
    )


@pytest.mark.parametrize("category", ["portalloc.PortallocWarning", "portalloc_pytest.PortLeakWarning"])
def test_a_leak_is_turned_into_an_error_by_either_category(inner: Inner, category: str) -> None:
    inner.suite(
        """
        import socket

        KEPT = []

        def test_leaks(free_port):
            KEPT.append(socket.create_server(("127.0.0.1", free_port)))
        """
    )
    inner.run(f"-Werror::{category}").assert_outcomes(passed=1, errors=1)


def test_a_port_needs_no_fixture_and_is_held_until_the_run_ends(inner: Inner) -> None:
    inner.suite(
        """
        import portalloc, pytest

        PORTS = []

        @pytest.mark.parametrize("number", range(3))
        def test_takes(number):
            PORTS.append(portalloc.port())

        def test_has(record):
            record(ports=PORTS, leased=[portalloc.who(port).leased for port in PORTS])
        """
    )
    inner.run("-Werror").assert_outcomes(passed=4)
    told = inner.record()
    assert len(set(told["ports"])) == 3
    assert told["leased"] == [True] * 3


@pytest.mark.parametrize("flags", [(), ("-X", "dev"), ("-W", "error")], ids=lambda flags: " ".join(flags) or "plain")
@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_a_conftest_keeps_is_not_lost(inner: Inner, flags: tuple[str, ...], workers: str) -> None:
    inner.conftest("import portalloc\nlease = portalloc.lease()\nenvironment = portalloc.environment(1)\n")
    inner.suite("def test_has(pytestconfig): pass\n")
    python, *arguments = inner.arguments(workers)
    result = inner.pytester.run(python, *flags, *arguments)
    result.assert_outcomes(passed=1)
    assert "PortallocWarning" not in result.stdout.str()
    assert result.errlines == []


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_header_says_what_is_wrong_with_a_pool_and_nobody_says_it_again(inner: Inner, workers: str) -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:  # noqa: PTH123
        last = int(file.read().split()[1])
    inner.suite("def test_has(free_port): pass\n")
    result = inner.run(f"--portalloc-pool={last - 29}-{last}", "-Werror", workers)
    result.assert_outcomes(passed=1)
    assert (result.stdout.str() + result.stderr.str()).count("lies inside the ephemeral range") == 1


def test_files_that_are_lost_are_warned_of_by_the_category(inner: Inner) -> None:
    inner.suite(
        """
        def test_makes(isolation, tmp_path):
            (isolation.temp_dir / "file").write_text("text")
            # Where its files are to go there is a file already.
            (tmp_path / f"isolation-{isolation.id}").write_text("text")
        """
    )
    result = inner.run()
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*PortallocWarning: files of environment * are lost: *"])
