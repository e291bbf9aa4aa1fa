"""What is in the registry, as those see it who only look; validation; and removal by ID."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest

if TYPE_CHECKING:
    from support import Actor, World


def test_an_empty_registry() -> None:
    assert portalloc.leases() == []
    assert portalloc.environments() == []
    assert portalloc.cleanup_stale() == []


def test_leases_by_port(world: World, actor: Actor) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}])")
    with portalloc.lease(exact=[world.base + 5, world.base + 2]):
        first, second = portalloc.leases()
    assert first.ports == (world.base,)
    assert first.holder is not None
    assert first.holder.pid == actor.pid
    assert second.ports == (world.base + 2, world.base + 5)
    assert second.holder == (os.getpid(), Path("/proc/self/comm").read_text().strip())
    assert second.user_id == os.getuid()
    assert second.since.tzinfo is not None
    assert second.since <= datetime.now(timezone.utc)


def test_a_held_environment(world: World) -> None:
    with portalloc.environment(names=["web"], instance_id="gw0", env_file=True) as environment:
        (info,) = portalloc.environments()
        assert portalloc.leases() == []
    assert (info.isolation_id, info.status, info.reason, info.lifetime) == (environment.id, "active", None, "held")
    assert (info.ports, info.names) == (environment.ports, ("web",))
    assert (info.created_at, info.expires_at) == (environment.created_at, None)
    assert (info.holder and info.holder.pid, info.user_id) == (os.getpid(), os.getuid())
    assert (info.instance_id, info.worktree_path) == ("gw0", world.work)
    assert (info.temp_dir, info.env_file) == (environment.temp_dir, environment.env_file)


def test_environments_oldest_first() -> None:
    made = [portalloc.environment(1, kept=True) for _ in range(3)]
    listed = portalloc.environments()
    assert {info.isolation_id for info in listed} == {environment.id for environment in made}
    times = [info.created_at for info in listed]
    assert times == sorted(environment.created_at for environment in made)
    assert [portalloc.cleanup(environment.id) for environment in made] == [True, True, True]


def test_what_is_shown_cannot_be_changed() -> None:
    with portalloc.lease():
        (info,) = portalloc.leases()
    with pytest.raises(AttributeError):
        info.ports = ()  # type: ignore[misc]


def test_a_valid_environment() -> None:
    with portalloc.environment(2, env_file=True) as environment:
        with environment.lease.socket(1):  # type: ignore[union-attr]
            validation = portalloc.validate(environment.id)
        assert validation
        assert validation.valid
        assert [check.name for check in validation.checks if check.ok] == ["record", "temp_dir", "env_file", "lease"]
        assert validation.ports == ((environment.ports[0], False), (environment.ports[1], True))
        assert validation.isolation_id == environment.id


def test_an_environment_whose_files_are_gone() -> None:
    with portalloc.environment(1, env_file=True) as environment:
        environment.temp_dir.rmdir()
        assert environment.env_file is not None
        environment.env_file.unlink()
        validation = portalloc.validate(environment.id)
    assert not validation
    assert not validation.valid
    failures = {check.name: check.failure for check in validation.checks if not check.ok}
    assert set(failures) == {"temp_dir", "env_file"}
    assert all(failures.values())


def test_an_environment_whose_holder_is_gone(actor: Actor) -> None:
    actor.do("environment = portalloc.environment(1)")
    identifier = actor.ask("environment.id")
    assert portalloc.validate(identifier)
    actor.kill()
    assert [check.name for check in portalloc.validate(identifier).checks if not check.ok] == ["lease"]
    assert portalloc.cleanup(identifier)
    with pytest.raises(portalloc.NotFoundError):
        portalloc.validate(identifier)
