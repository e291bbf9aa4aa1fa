"""The ways to say which ports are wanted, and what is said if they cannot be had."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

import portalloc
import pytest
from portalloc import tools
from support import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import World


def test_one_port_by_default_from_the_pool(world: World) -> None:
    with portalloc.lease() as lease:
        assert len(lease) == 1
        assert lease.port in world.ports


def test_these_ports_in_this_order(world: World) -> None:
    asked = [world.base + 7, world.base + 2, world.base + 3]
    with portalloc.lease(exact=iter(asked)) as lease:
        assert list(lease) == asked


def test_offsets_from_a_base(world: World) -> None:
    # The base is of the pool, the others need not be.
    with portalloc.lease(pool=f"{world.base}-{world.base + 5}", offsets=[0, 1, 20]) as lease:
        assert lease.base_port - world.base in range(6)
        assert [port - lease.base_port for port in lease] == [0, 1, 20]


def test_scattered_ports_need_no_run(world: World) -> None:
    odd = ",".join(str(port) for port in world.ports[::2])
    with pytest.raises(portalloc.InvalidArgumentError, match="consecutive"):
        portalloc.lease(2, pool=odd)
    with portalloc.lease(len(world.ports[::2]), pool=odd, scattered=True) as lease:
        assert sorted(lease) == list(world.ports[::2])


def test_an_argument_goes_before_a_variable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTALLOC_POOL", str(world.base))
    monkeypatch.setenv("PORTALLOC_EXCLUDE", str(world.base))
    with pytest.raises(portalloc.InvalidArgumentError):
        portalloc.lease()
    with portalloc.lease(pool=str(world.base + 1)) as by_pool, portalloc.lease(exclude="") as by_exclude:
        assert (by_pool.port, by_exclude.port) == (world.base + 1, world.base)


def test_a_variable_that_changes_is_seen_at_the_next_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for port in world.ports[:3]:
        monkeypatch.setenv("PORTALLOC_POOL", str(port))
        with portalloc.lease() as lease:
            assert lease.port == port


@pytest.mark.parametrize(
    "ways",
    [
        {"exact": [0], "offsets": [0]},
        {"exact": [1], "scattered": True},
        {"offsets": [0], "scattered": True},
        {"count": 2, "exact": [1]},
        {"count": 1, "offsets": [0, 1]},
    ],
    ids=str,
)
def test_only_one_way_can_be_meant(world: World, ways: dict[str, Any]) -> None:
    ways = {name: [world.base + port for port in value] if name == "exact" else value for name, value in ways.items()}
    with pytest.raises(portalloc.InvalidArgumentError):
        portalloc.lease(**ways)
    assert portalloc.leases() == []


def test_a_count_that_is_that_of_the_ports_is_no_contradiction(world: World) -> None:
    with portalloc.lease(2, exact=world.ports[:2]) as lease:
        assert lease.ports == world.ports[:2]


def test_sticky_prefers_what_the_key_had(world: World) -> None:
    with portalloc.lease(3, sticky_key="web") as first:
        pass
    for _ in range(5):
        with portalloc.lease(3, sticky_key="web") as again:
            assert again.ports == first.ports
    # A preference only.
    with portalloc.lease(exact=first.ports), portalloc.lease(3, sticky_key="web") as other:
        assert not set(other) & set(first)
        assert set(other) <= set(world.ports)


def test_an_exhausted_pool_says_what_its_ports_do(world: World) -> None:
    held, strange, kept = world.ports[:3]
    pool = f"{held}-{kept}"
    with portalloc.lease(exact=[held]), socket.socket() as foreign:
        foreign.bind(("127.0.0.1", strange))
        portalloc.environment(exact=[kept], kept=True)
        with pytest.raises(portalloc.PoolExhaustedError) as raised:
            portalloc.lease(pool=pool)
    error = raised.value
    assert isinstance(error, OSError)
    assert error.errno == errno.EADDRNOTAVAIL
    assert error.ports == ()
    assert error.census is not None
    assert {name: error.census[name] for name in ("held", "kept", "stale", "foreign", "free")} == {
        "held": 1,
        "kept": 1,
        "stale": 0,
        "foreign": 1,
        "free": 0,
    }


def test_ports_in_use_are_named(world: World) -> None:
    leased, strange, free = world.ports[:3]
    with portalloc.lease(exact=[leased]), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        foreign.bind(("127.0.0.1", strange))
        with pytest.raises(portalloc.PortInUseError) as raised:
            portalloc.lease(exact=[leased, strange, free])
    assert raised.value.ports == (leased, strange)
    assert raised.value.errno == errno.EADDRINUSE
    assert portalloc.is_free(free)
    assert portalloc.leases() == []


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_is_free_only_on_every_side(world: World, family: socket.AddressFamily, kind: socket.SocketKind) -> None:
    assert portalloc.is_free(world.base)
    with socket.socket(family, kind) as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", world.base))
        assert not portalloc.is_free(world.base)
        with pytest.raises(portalloc.PortInUseError):
            portalloc.lease(exact=[world.base])
    assert portalloc.is_free(world.base)


def test_a_timeout_is_both_kinds(world: World) -> None:
    with portalloc.lease(exact=[world.base]):
        for asked in ({"exact": [world.base]}, {"pool": str(world.base)}):
            with pytest.raises(portalloc.WaitTimeout) as raised:
                portalloc.lease(wait=0.02, **asked)
            assert isinstance(raised.value, TimeoutError)
            assert raised.value.errno == errno.ETIMEDOUT
        assert raised.value.census is not None
        assert raised.value.census["held"] == 1
    assert portalloc.leases() == []


def test_a_timeout_of_zero_tries_once(world: World) -> None:
    with portalloc.lease(pool=str(world.base), wait=0), pytest.raises(portalloc.PoolExhaustedError):
        portalloc.lease(pool=str(world.base), wait=0)


def test_a_registry_that_cannot_be_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.scratch / "file"
    path.write_text("")
    monkeypatch.setenv("PORTALLOC_DIR", str(path))
    calls: list[Callable[[], object]] = [
        portalloc.lease,
        portalloc.leases,
        portalloc.environments,
        tools.settings,
        portalloc.cleanup_stale,
        portalloc.environment,
        lambda: portalloc.is_free(world.base),
        lambda: portalloc.who(world.base),
    ]
    for call in calls:
        with pytest.raises(portalloc.RegistryUnusableError) as raised:
            call()
        assert isinstance(raised.value, OSError)
        assert raised.value.errno == errno.EIO


def test_a_registry_that_was_moved_away_is_opened_anew(world: World) -> None:
    with portalloc.lease(wait=DEADLINE):
        pass
    world.registry.rename(world.scratch / "old")
    portalloc.lease().release()
    assert world.registry.is_dir()


def test_whoever_holds_leases_of_a_registry_that_was_moved_away_is_told(world: World) -> None:
    held = portalloc.lease(wait=DEADLINE)
    world.registry.rename(world.scratch / "old")
    with pytest.raises(portalloc.RegistryUnusableError):
        portalloc.lease()
    held.release()
    with portalloc.lease() as lease:
        assert [info.ports for info in portalloc.leases()] == [(lease.port,)]
