"""Making an environment, with every argument, and reading it."""

from __future__ import annotations

import copy
import os
import pickle
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from support import Actor, World


def test_five_ports_by_default(world: World) -> None:
    with portalloc.environment() as environment:
        assert len(environment.ports) == 5
        assert set(environment.ports) <= set(world.ports)
        assert environment.base_port == environment.ports[0]
        assert environment.lifetime == "held"
        assert environment.names == ()
        assert environment.instance_id == ""
        assert environment.worktree_path == world.work
        assert environment.expires_at is None
        assert tools.parse_id(environment.id) == environment.id
        assert not any(map(portalloc.is_free, environment.ports))


def test_names() -> None:
    with portalloc.environment(names=["postgres", "my-db"]) as environment:
        assert environment.names == ("postgres", "my-db")
        assert len(environment.ports) == 2
        assert environment.port("my-db") == environment.port(1) == environment.ports[1]
        assert environment.variables["POSTGRES_PORT"] == str(environment.ports[0])
        assert environment.variables["MY_DB_PORT"] == str(environment.ports[1])


def test_more_ports_than_names() -> None:
    with portalloc.environment(3, names=iter(["web"])) as environment:
        assert (environment.names, len(environment.ports)) == (("web",), 3)
        assert environment.port(2) == environment.ports[2]


@pytest.mark.parametrize("name", ["nothing", 2, -1, 10**6, ""])
def test_a_port_that_it_does_not_have(name: str | int) -> None:
    with portalloc.environment(names=["a", "b"]) as environment:
        with pytest.raises(portalloc.InvalidArgumentError):
            environment.port(name)
        with pytest.raises(TypeError):
            environment.port(True)
        with pytest.raises(TypeError):
            environment.port(1.0)  # type: ignore[arg-type]


def test_its_variables_are_those_that_processes_get() -> None:
    with portalloc.environment(names=["web"]) as environment:
        variables = environment.variables
        assert variables["ISOLATION_ID"] == environment.id
        assert variables["TEMP_DIR"] == str(environment.temp_dir)
        assert variables["PORT_BASE"] == str(environment.base_port)
        assert variables["PORT_COUNT"] == "1"
        assert environment.id in variables["COMPOSE_PROJECT_NAME"]
        variables.clear()
        assert next(iter(environment.variables)) == "ISOLATION_ID"
        assert not set(environment.variables) & set(os.environ)


@pytest.mark.parametrize("syntax", ["shell", "fish", "powershell", "dotenv", "github"])
def test_it_renders_its_variables(syntax: str) -> None:
    with portalloc.environment(1) as environment:
        pairs = list(environment.variables.items())
        assert environment.render(syntax) == tools.render(pairs, syntax)
        assert environment.render() == tools.render(pairs, "shell")
        with pytest.raises(portalloc.InvalidArgumentError):
            environment.render("basic")


def test_its_temp_dir_is_its_own(world: World) -> None:
    with portalloc.environment(1) as environment:
        assert isinstance(environment.temp_dir, Path)
        assert environment.temp_dir.parent == world.temp
        assert stat.S_IMODE(environment.temp_dir.stat().st_mode) == 0o700
        (environment.temp_dir / "directory").mkdir()
        (environment.temp_dir / "directory" / "file").write_text("")
    assert world.left_behind() == []


def test_it_gives_ports_by_name_and_in_order() -> None:
    with portalloc.environment(3, names=["web", "db"]) as environment:
        assert (environment["web"], environment["db"], environment[2]) == environment.ports
        assert tuple(environment) == environment.ports
        assert len(environment) == 3
        assert "web" in environment
        assert environment.ports[2] in environment
        assert "cache" not in environment
        for name in ("cache", 3, -1):
            with pytest.raises(KeyError, match=str(name)):
                environment[name]
        with pytest.raises(TypeError):
            environment[True]


def test_its_env_file(world: World) -> None:
    with portalloc.environment(names=["web"], env_file=True) as environment:
        assert environment.env_file == world.work / ".env.isolation"
        text = environment.env_file.read_text()
        assert text.endswith(environment.render("dotenv"))
    assert world.left_behind() == []


def test_an_env_file_that_is_taken(world: World) -> None:
    with portalloc.environment(1, env_file=True) as first, portalloc.environment(1, env_file=True) as second:
        assert first.env_file == world.work / ".env.isolation"
        assert second.env_file == world.work / f".env.isolation.{second.id}"


def test_no_env_file(world: World) -> None:
    with portalloc.environment(1) as environment:
        assert environment.env_file is None
        assert world.left_behind() == [environment.temp_dir.name]


@pytest.mark.parametrize("kind", [str, Path])
def test_an_env_file_at_a_path(world: World, kind: type) -> None:
    path = world.scratch / "my.env"
    with portalloc.environment(1, env_file=kind(path)) as environment:
        assert environment.env_file == path
        assert environment.id in path.read_text()
        with pytest.raises(portalloc.EnvFileExistsError) as raised:
            portalloc.environment(1, env_file=path)
        assert isinstance(raised.value, FileExistsError)
    assert not path.exists()


def test_a_file_that_is_not_portallocs_is_left_alone(world: World) -> None:
    path = world.work / ".env.isolation"
    path.write_text("mine")
    with portalloc.environment(1, env_file=True) as environment:
        assert environment.env_file == world.work / f".env.isolation.{environment.id}"
    with pytest.raises(portalloc.EnvFileExistsError):
        portalloc.environment(1, env_file=path)
    assert path.read_text() == "mine"
    assert world.left_behind() == [".env.isolation"]


@pytest.mark.parametrize("kind", [str, Path])
def test_another_worktree(world: World, kind: type) -> None:
    other = world.scratch / "other"
    other.mkdir()
    with portalloc.environment(1, worktree=kind(other), env_file=True, instance_id="gw0 ä") as environment:
        assert environment.worktree_path == other
        assert environment.env_file == other / ".env.isolation"
        assert environment.instance_id == "gw0 ä"


def test_its_shape(world: World) -> None:
    with portalloc.environment(exact=[world.base + 2, world.base]) as these:
        assert these.ports == (world.base + 2, world.base)
    pool = f"{world.base}-{world.base + 3}"
    with portalloc.environment(offsets=[0, 10], pool=pool) as apart:
        assert apart.ports[1] - apart.ports[0] == 10
    with portalloc.environment(2, scattered=True, pool=f"{world.base},{world.base + 9}") as scattered:
        assert sorted(scattered.ports) == [world.base, world.base + 9]
    with portalloc.environment(1, pool=pool, exclude=f"{world.base + 1}-{world.base + 3}") as excluded:
        assert excluded.ports == (world.base,)


def test_sticky_prefers_the_same_ports() -> None:
    with portalloc.environment(names=["web"], sticky=True) as first:
        pass
    for _ in range(5):
        with portalloc.environment(names=["web"], sticky=True) as again:
            assert again.ports == first.ports


def test_one_that_fails_leaves_nothing(world: World) -> None:
    with portalloc.lease(exact=[world.base]):
        with pytest.raises(portalloc.PortInUseError):
            portalloc.environment(exact=[world.base + 1, world.base])
        with pytest.raises(portalloc.WaitTimeout):
            portalloc.environment(1, pool=str(world.base), wait=0.02)
    assert portalloc.is_free(world.base + 1)
    assert portalloc.environments() == []
    assert world.left_behind() == []


def test_when_it_was_made() -> None:
    before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
    with portalloc.environment(1) as environment:
        assert environment.created_at.tzinfo is not None
        assert environment.created_at.utcoffset() == timedelta(0)
        assert before <= environment.created_at <= datetime.now(timezone.utc)


@pytest.mark.parametrize("ttl", [3600, 3600.0, timedelta(hours=1)], ids=repr)
def test_a_kept_one_with_a_time_to_live(ttl: float | timedelta) -> None:
    environment = portalloc.environment(1, kept=True, ttl=ttl)
    assert environment.lifetime == "kept"
    assert environment.expires_at == environment.created_at + timedelta(hours=1)
    assert environment.lease is None
    environment.cleanup()


@pytest.mark.parametrize("asked", [{"ttl": 60}, {"owner_pid": os.getpid()}])
def test_a_held_one_has_neither_ttl_nor_owner(asked: dict[str, int]) -> None:
    with pytest.raises(portalloc.InvalidArgumentError):
        portalloc.environment(1, **asked)  # type: ignore[arg-type]


def test_an_owner_that_does_not_run(actor: Actor) -> None:
    actor.kill()
    pid = actor.pid
    actor.end()
    with pytest.raises(portalloc.NotFoundError, match=str(pid)) as raised:
        portalloc.environment(1, kept=True, owner_pid=pid)
    assert isinstance(raised.value, LookupError)


def test_its_lease_is_a_view_of_its_own() -> None:
    with portalloc.environment(2) as environment:
        lease = environment.lease
        assert lease is not None
        assert lease.ports == environment.ports
        assert not lease.released
        assert repr(lease) == f"<Lease ports {environment.ports[0]}, {environment.ports[1]}>"
        del lease
        assert not portalloc.is_free(environment.base_port)
        lease = environment.lease
    assert lease is not None
    assert lease.released
    lease.release()
    assert environment.lease is None


def test_how_it_looks() -> None:
    with portalloc.environment(2) as environment:
        first, second = environment.ports
        assert repr(environment) == f"<Environment {environment.id} ports {first}, {second}>"


def test_it_can_be_neither_made_by_hand_nor_pickled_nor_copied() -> None:
    with pytest.raises(TypeError):
        portalloc.Environment()
    with portalloc.environment(1) as environment:
        for use in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="attach"):
                use(environment)
        with pytest.raises(AttributeError):
            environment.id = "0" * 12  # type: ignore[misc]
