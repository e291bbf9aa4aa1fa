"""Ports and directories for the inner suites of the plugin's tests. They need pytest's own plugin: `-p pytester`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest
from plugin_support import Inner

if TYPE_CHECKING:
    from collections.abc import Iterator

_PORTS = 192

# So far beyond its pool the ports at offsets may lie, and are not to be another suite's.
_BEYOND = 8


@pytest.fixture
def own_ports() -> Iterator[tuple[int, ...]]:
    """Consecutive ports that no other suite on this machine uses at the same time.

    Leased from a registry that all suites of this project share; the inner suites have their own, with these ports.
    Anew for each test, because the last one may have left connections in TIME_WAIT on any of its ports: for a minute
    these cannot be leased, not even by their numbers.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORTALLOC_DIR", str(Path(tempfile.gettempdir()) / "portalloc-test-ports"))
        lease = portalloc.lease(_PORTS + _BEYOND, pool="20000-29999", wait=120)
    with lease:
        yield lease.ports[:_PORTS]


@pytest.fixture
def inner(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    own_ports: tuple[int, ...],
    request: pytest.FixtureRequest,
) -> Iterator[Inner]:
    """An inner suite. Nothing of it may be left when the test is over, unless that is marked with `leaves_things`."""
    suite = Inner(pytester, monkeypatch, own_ports)
    yield suite
    if request.node.get_closest_marker("leaves_things") is None:
        assert suite.leftovers() == []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "leaves_things: what the inner run leaves behind is the test's own affair")
    # Inner runs are processes of their own; a worker of an outer xdist must not pass its name on to them.
    os.environ.pop("PYTEST_XDIST_WORKER", None)
