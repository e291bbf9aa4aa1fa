"""Fixtures for whoever tests with real ports and processes: a world of one's own, and children that always end."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from support import SLICES, SLICES_POOL, Actor, Child, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: As many ports a world has.
SLICE = 40

#: So far beyond its pool the ports at offsets may lie. Leased as well, so that they are not of a neighbour's world.
BEYOND = 100

# What this process ignores, as under `nohup` or behind a script's `&`, its children would ignore as well. What it has a
# handler for is back to what it should be in them; here, this one is as good as ignoring.
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The calls of this process, and of those that it starts, go to a registry and a pool that nobody else uses."""
    for name in ("PORTALLOC_POOL", "PORTALLOC_EXCLUDE", "PORTALLOC_LOG", "ISOLATION_ID"):
        monkeypatch.delenv(name, raising=False)
    # Suites of any language run side by side: what keeps their ports apart is portalloc itself.
    monkeypatch.setenv("PORTALLOC_DIR", str(SLICES))
    # Not `tmp_path`, in which the path of a Unix socket would be too long.
    scratch = tempfile.TemporaryDirectory(prefix="portalloc-test-", ignore_cleanup_errors=True)
    with scratch as directory, portalloc.lease(SLICE + BEYOND, pool=SLICES_POOL, wait=120) as leased:
        world = World(Path(directory), leased.ports[:SLICE])
        monkeypatch.setenv("PORTALLOC_DIR", str(world.registry))
        monkeypatch.setenv("PORTALLOC_POOL", world.pool)
        monkeypatch.setenv("TMPDIR", str(world.temp))
        monkeypatch.chdir(world.work)
        yield world
        monkeypatch.undo()


@pytest.fixture
def children(world: World) -> Iterator[Callable[..., Child]]:  # noqa: ARG001 - they live in it
    """Starts children that are ended when the test is, whatever became of it."""
    started: list[Child] = []

    def start(command: Sequence[str], **options: Any) -> Child:
        child = Child(command, **options)
        started.append(child)
        return child

    yield start
    for child in started:
        child.end()


@pytest.fixture
def actors(world: World) -> Iterator[Callable[..., Actor]]:  # noqa: ARG001 - they live in it
    """Starts actors that are ended when the test is, whatever became of it."""
    started: list[Actor] = []

    def start(*flags: str, **options: Any) -> Actor:
        actor = Actor(*flags, **options)
        started.append(actor)
        return actor

    yield start
    for actor in started:
        actor.end()


@pytest.fixture
def actor(actors: Callable[..., Actor]) -> Actor:
    """One."""
    return actors()
