"""`portalloc.toml` says what arguments and variables do not: that of the worktree, or of the current directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from pathlib import Path

    from support import World


def declare(directory: Path, text: str) -> None:
    (directory / "portalloc.toml").write_text(text)


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTALLOC_POOL")


def test_the_current_directories(world: World) -> None:
    declare(world.work, f'pool = "{world.base}-{world.base + 2}"\nexclude = "{world.base}"\nnames = ["web", "db"]')
    settings = tools.settings()
    assert settings.pool == f"{world.base}-{world.base + 2}"
    assert settings.ports == f"{world.base + 1}-{world.base + 2}"
    assert settings.project == world.work / "portalloc.toml"
    with portalloc.lease(2) as lease:
        assert lease.ports == world.ports[1:3]
    with portalloc.environment() as environment:
        assert environment.names == ("web", "db")
        assert environment.ports == world.ports[1:3]


def test_one_of_a_directory_above(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(world.work, f"pool = {world.base}")
    below = world.work / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    with portalloc.lease() as lease:
        assert lease.port == world.base


def test_that_of_the_worktree_counts_for_its_environments(world: World) -> None:
    other = world.scratch / "other"
    other.mkdir()
    declare(world.work, f'pool = "{world.base}-{world.base + 4}"\nnames = ["here"]\nguard = true')
    declare(other, f'pool = "{world.base + 5}-{world.base + 9}"\nports = 2\ninstance_id = "there"')
    with portalloc.environment(worktree=other) as there, portalloc.environment() as here:
        assert set(there.ports) <= set(world.ports[5:10])
        assert (there.names, len(there.ports), there.instance_id) == ((), 2, "there")
        assert set(here.ports) <= set(world.ports[:5])
        assert here.names == ("here",)
        assert (here.lease and here.lease.guard_state, there.lease and there.lease.guard_state) == ("exclusive", "none")


def test_arguments_go_before_variables_and_those_before_the_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(world.work, f'pool = {world.base}\nnames = ["file"]\ninstance_id = "file"\nguard = true')
    monkeypatch.setenv("PORTALLOC_POOL", str(world.base + 1))
    with portalloc.lease() as by_variable, portalloc.lease(pool=str(world.base + 2)) as by_argument:
        assert (by_variable.port, by_argument.port) == (world.base + 1, world.base + 2)
    with portalloc.environment(names=["mine"], instance_id="arg", guard=False) as environment:
        assert (environment.names, environment.instance_id) == (("mine",), "arg")
        assert environment.lease is not None
        assert environment.lease.guard_state == "none"
        assert environment.ports == (world.base + 1,)


@pytest.mark.parametrize("given", ["arg", ""])
def test_an_instance_id_that_is_given_counts(world: World, given: str) -> None:
    declare(world.work, f'pool = "{world.base}-{world.base + 9}"\nnames = ["web"]\ninstance_id = "file"')
    with portalloc.environment(instance_id=given) as environment, portalloc.environment() as other:
        assert (environment.instance_id, other.instance_id) == (given, "file")


def test_a_file_is_read_once_for_its_directory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first, other = world.ports[:2]
    for pool in (first, other):
        declare(world.work, f"pool = {pool}")
        with portalloc.lease() as lease:
            assert lease.port == first
    below = world.work / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    with portalloc.lease() as lease:
        assert lease.port == other


@pytest.mark.parametrize("text", ['names = "web"', "colour = 1", "pool = 0", "names = [", "ports = 0"])
def test_a_broken_one_is_refused_with_its_place(world: World, text: str) -> None:
    declare(world.work, text)
    for call in (tools.settings, portalloc.environment, portalloc.lease, portalloc.current):
        with pytest.raises(portalloc.InvalidArgumentError) as raised:
            call()
        assert str(world.work / "portalloc.toml") in raised.value.message
    assert world.left_behind() == ["portalloc.toml"]
