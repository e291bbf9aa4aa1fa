"""How environments end: by cleanup, by their block, by their holder's death, their owner's end or their time."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Actor, World


def test_a_cleanup_removes_everything_and_can_be_repeated(world: World) -> None:
    environment = portalloc.environment(2, env_file=True)
    assert len(world.left_behind()) == 2
    environment.cleanup()
    assert world.left_behind() == []
    assert portalloc.environments() == []
    assert all(map(portalloc.is_free, environment.ports))
    environment.cleanup()


def test_what_it_was_is_known_after_the_cleanup() -> None:
    environment = portalloc.environment(names=["web"])
    before = (environment.id, environment.ports, environment.variables, environment.temp_dir, environment.port("web"))
    environment.cleanup()
    after = (environment.id, environment.ports, environment.variables, environment.temp_dir, environment.port("web"))
    assert after == before


def test_a_second_cleanup_does_not_touch_the_next_holder(world: World) -> None:
    first = portalloc.environment(exact=[world.base])
    first.cleanup()
    with portalloc.environment(exact=[world.base]):
        first.cleanup()
        assert not portalloc.is_free(world.base)
        assert len(world.left_behind()) == 1


def test_its_block_ends_it_whatever_happens(world: World) -> None:
    with pytest.raises(ValueError, match="boom"), portalloc.environment(2) as environment:  # noqa: PT012
        assert environment.temp_dir.is_dir()
        raise ValueError("boom")
    assert world.left_behind() == []
    assert portalloc.environments() == []


def test_the_block_of_a_kept_one_ends_it_too(world: World) -> None:
    with portalloc.environment(1, kept=True):
        assert [info.status for info in portalloc.environments()] == ["active"]
    assert portalloc.environments() == []
    assert world.left_behind() == []


def test_a_held_one_ends_with_its_process(actor: Actor, world: World) -> None:
    actor.do("environment = portalloc.environment(2)")
    identifier, ports = actor.ask("[environment.id, environment.ports]")
    assert [info.status for info in portalloc.environments()] == ["active"]
    assert portalloc.cleanup_stale() == []
    actor.kill()
    until("it is stale", lambda: [info.status for info in portalloc.environments()] == ["stale"])
    assert portalloc.environments()[0].reason
    assert all(map(portalloc.is_free, ports))
    assert len(world.left_behind()) == 1
    assert portalloc.cleanup_stale() == [identifier]
    assert world.left_behind() == []
    assert portalloc.cleanup_stale() == []


def test_a_kept_one_outlives_its_process(actor: Actor, world: World) -> None:
    actor.do("environment = portalloc.environment(2, kept=True)")
    identifier, ports = actor.ask("[environment.id, environment.ports]")
    actor.kill()
    assert [(info.isolation_id, info.status, info.lifetime) for info in portalloc.environments()] == [
        (identifier, "active", "kept")
    ]
    assert portalloc.cleanup_stale() == []
    assert not any(map(portalloc.is_free, ports))
    assert portalloc.cleanup(identifier)
    assert not portalloc.cleanup(identifier)
    assert all(map(portalloc.is_free, ports))
    assert world.left_behind() == []


def test_a_kept_one_that_is_forgotten_stays() -> None:
    identifier = portalloc.environment(1, kept=True).id
    assert portalloc.attach(identifier).id == identifier
    assert portalloc.cleanup(identifier)


def test_the_end_of_its_owner_ends_a_kept_one(actor: Actor) -> None:
    environment = portalloc.environment(1, kept=True, owner_pid=actor.pid)
    assert [info.holder and info.holder.pid for info in portalloc.environments()] == [actor.pid]
    assert portalloc.cleanup_stale() == []
    actor.end()
    until("it is stale", lambda: [info.status for info in portalloc.environments()] == ["stale"])
    assert portalloc.cleanup_stale() == [environment.id]


def test_the_end_of_its_time_ends_a_kept_one() -> None:
    environment = portalloc.environment(1, kept=True, ttl=0.2)
    assert environment.expires_at is not None
    until("it is stale", lambda: [info.status for info in portalloc.environments()] == ["stale"])
    assert time.time() >= environment.expires_at.timestamp()
    assert portalloc.is_free(environment.base_port)
    with pytest.raises(portalloc.NotFoundError):
        portalloc.attach(environment.id)
    assert portalloc.cleanup_stale() == [environment.id]


def test_one_that_another_process_holds_cannot_be_cleaned_up(actor: Actor, world: World) -> None:
    actor.do("environment = portalloc.environment(1)")
    identifier = actor.ask("environment.id")
    for cleanup in (lambda: portalloc.cleanup(identifier), portalloc.attach(identifier).cleanup):
        with pytest.raises(portalloc.EnvironmentInUseError) as raised:
            cleanup()
        assert isinstance(raised.value, OSError)
    assert len(world.left_behind()) == 1
    actor.do("environment.cleanup()")
    assert not portalloc.cleanup(identifier)


def test_a_lease_that_is_released_by_hand_does_not_keep_the_cleanup_off(world: World) -> None:
    environment = portalloc.environment(1)
    assert environment.lease is not None
    environment.lease.release()
    environment.cleanup()
    assert world.left_behind() == []
    assert portalloc.environments() == []


def test_a_cleanup_in_another_thread_and_at_once(world: World, actors: Callable[..., Actor]) -> None:
    actor = actors()
    actor.do("environment = portalloc.environment(2)")
    actor.do(
        "threads = [threading.Thread(target=environment.cleanup) for _ in range(8)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()"
    )
    assert world.left_behind() == []
    assert actor.ask("portalloc.environments()") == []


def test_a_temp_dir_that_is_gone_already(world: World) -> None:
    with portalloc.environment(1) as environment:
        os.rmdir(environment.temp_dir)  # noqa: PTH106
    assert world.left_behind() == []
