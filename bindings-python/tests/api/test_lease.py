"""A lease as an object: what it holds, how it looks, when it ends."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING

import portalloc
import pytest

if TYPE_CHECKING:
    from support import World


def test_a_leased_port_is_nobody_elses(world: World) -> None:
    with portalloc.lease(pool=str(world.base)) as lease:
        assert lease.port == world.base
        assert not portalloc.is_free(world.base)
        with pytest.raises(portalloc.PoolExhaustedError):
            portalloc.lease(pool=str(world.base))
        with pytest.raises(portalloc.PortInUseError):
            portalloc.lease(exact=[world.base])


def test_a_with_block_gives_the_lease_and_releases_it() -> None:
    lease = portalloc.lease(2)
    with lease as entered:
        assert entered is lease
        assert not lease.released
    assert lease.released
    assert [portalloc.is_free(port) for port in lease.ports] == [True, True]
    assert portalloc.leases() == []


def test_an_exception_leaves_the_with_block_and_the_lease_is_released() -> None:
    boom = ValueError("boom")
    with pytest.raises(ValueError, match="boom") as raised, portalloc.lease() as lease:
        raise boom
    assert raised.value is boom
    assert lease.released
    assert portalloc.leases() == []


def test_a_release_can_be_repeated_and_does_not_touch_the_next_holder(world: World) -> None:
    first = portalloc.lease(exact=[world.base])
    first.release()
    with portalloc.lease(exact=[world.base]) as second:
        first.release()
        with first:
            pass
        assert not second.released
        assert not portalloc.is_free(world.base)


def test_the_ports_are_known_after_the_release(world: World) -> None:
    lease = portalloc.lease(exact=[world.base + 3, world.base])
    lease.release()
    assert lease.ports == (world.base + 3, world.base)
    assert lease.base_port == world.base + 3
    assert list(lease) == [world.base + 3, world.base]


def test_a_run_is_ascending_and_consecutive() -> None:
    with portalloc.lease(5) as lease:
        assert lease.ports == tuple(range(lease.base_port, lease.base_port + 5))


def test_the_port_is_the_first() -> None:
    with portalloc.lease() as one, portalloc.lease(2) as two:
        assert one.ports == (one.port,)
        assert one.base_port == one.port
        assert two.port == two.ports[0]


def test_it_is_a_sequence() -> None:
    with portalloc.lease(3) as lease:
        assert isinstance(lease, Sequence)
        first: int = lease[0]
        some: tuple[int, ...] = lease[1:]
        assert (first, *some) == lease.ports
        assert lease[::-1] == lease.ports[::-1]
        assert (lease.index(lease[1]), lease.count(lease[1]), lease.count(0)) == (1, 1, 0)
        with pytest.raises(ValueError, match="not in"):
            lease.index(0)
        with pytest.raises(ValueError, match="not in"):
            lease.index(lease[0], 1)


def test_no_property_raises() -> None:
    with portalloc.lease(2) as lease, portalloc.environment(2) as environment:
        assert dict(inspect.getmembers(lease))["port"] == lease[0]
        assert dict(inspect.getmembers(environment))["ports"] == environment.ports


def test_it_is_iterable_and_indexable(world: World) -> None:
    base = world.base
    with portalloc.lease(exact=[base, base + 1, base + 2]) as lease:
        assert len(lease) == 3
        assert [lease[0], lease[2], lease[-1], lease[-3]] == [base, base + 2, base + 2, base]
        assert list(lease) == [base, base + 1, base + 2]
        assert list(reversed(lease)) == [base + 2, base + 1, base]
        assert base + 1 in lease
        assert base + 3 not in lease
        assert "web" not in lease  # type: ignore[comparison-overlap]
        first, *rest = lease
        assert (first, rest) == (base, [base + 1, base + 2])


@pytest.mark.parametrize("index", [2, -3, 10**6])
def test_an_index_out_of_range_is_an_index_error(index: int) -> None:
    with portalloc.lease(2) as lease, pytest.raises(IndexError):
        lease[index]


def test_ports_are_ints_in_a_tuple() -> None:
    with portalloc.lease(2) as lease:
        assert type(lease.ports) is tuple
        assert {type(port) for port in lease.ports} == {int}
        assert type(lease.base_port) is int


def test_how_it_looks(world: World) -> None:
    base = world.base
    with portalloc.lease(exact=[base]) as one, portalloc.lease(exact=[base + 1, base + 3]) as two:
        assert repr(one) == f"<Lease port {base}>"
        assert repr(two) == f"<Lease ports {base + 1}, {base + 3}>"
    assert repr(one) == f"<Lease port {base}, released>"


def test_it_cannot_be_made_changed_or_subclassed_by_hand() -> None:
    with pytest.raises(TypeError):
        portalloc.Lease()
    with portalloc.lease() as lease:
        with pytest.raises(AttributeError):
            lease.ports = ()  # type: ignore[misc]
        with pytest.raises(AttributeError):
            lease.something = 1  # type: ignore[attr-defined]


def test_it_can_be_neither_pickled_nor_copied() -> None:
    with portalloc.lease() as lease:
        for use in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="inheritable"):
                use(lease)
        assert not lease.released


def test_leases_are_told_apart_and_can_be_keys() -> None:
    with portalloc.lease() as one, portalloc.lease() as two:
        assert one != two
        assert {one: 1, two: 2}[two] == 2
