"""Arguments of a wrong type or out of range are refused, by Python's or portalloc's own word, never bent into shape."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import portalloc as typed
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support import World


#: A type checker would refuse most of what is tried here.
portalloc: Any = typed


class Index:
    """A whole number of another library, such as numpy's."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number

    def __repr__(self) -> str:
        return f"Index({self.number})"


class Thing:
    """No number, no text and no list."""

    def __repr__(self) -> str:
        return "Thing()"


class Broken:
    """Raises whatever is done with it."""

    def __index__(self) -> int:
        raise ZeroDivisionError("broken")

    def __iter__(self) -> Iterator[int]:
        raise ZeroDivisionError("broken")

    def __float__(self) -> float:
        raise ZeroDivisionError("broken")


NO_INTS: list[Any] = [1.7, 1.0, True, False, "3", b"3", [1], (1,), {}, Thing(), math.nan, Decimal(1), Fraction(1)]
OUT_OF_RANGE = [-1, -(2**63), -(10**30), 2**63, 2**64 + 1, 10**30]
NO_TIMES: list[Any] = ["1", b"1", [], Thing(), True, False, 1j]
BAD_TIMES: list[Any] = [-1, -0.001, math.nan, -math.inf, timedelta(seconds=-1)]


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """Whatever was refused, nothing is leased and nothing was made."""
    yield
    assert portalloc.leases() == []
    assert portalloc.environments() == []


@pytest.mark.parametrize("count", NO_INTS, ids=repr)
def test_a_count_that_is_no_whole_number(count: Any) -> None:
    for call in (portalloc.lease, portalloc.environment, portalloc.current):
        with pytest.raises(TypeError):
            call(count)


@pytest.mark.parametrize("count", [0, 10**9, *OUT_OF_RANGE])
def test_a_count_out_of_range(count: int) -> None:
    for call in (portalloc.lease, portalloc.environment, portalloc.current):
        with pytest.raises(portalloc.InvalidArgumentError) as raised:
            call(count)
        assert str(count) in raised.value.message
        assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("port", [*NO_INTS, None], ids=repr)
def test_a_port_that_is_no_whole_number(world: World, port: Any) -> None:
    calls: list[Any] = [
        lambda: portalloc.lease(exact=[world.base, port]),
        lambda: portalloc.lease(offsets=[0, port]),
        lambda: portalloc.environment(exact=[world.base, port]),
        lambda: portalloc.environment(offsets=[0, port]),
        lambda: portalloc.is_free(port),
        lambda: portalloc.who(port),
        lambda: portalloc.wait_until_open([port], wait=0),
        lambda: portalloc.wait_until_free([port], wait=0),
    ]
    if not isinstance(port, list | tuple | dict | bytes):
        calls += [lambda: portalloc.wait_until_open(port, wait=0), lambda: portalloc.wait_until_free(port, wait=0)]
    for call in calls:
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("port", [0, 65536, 65536 + 20001, *OUT_OF_RANGE])
def test_a_port_that_does_not_exist(world: World, port: int) -> None:
    calls: list[Any] = [
        lambda: portalloc.lease(exact=[world.base, port]),
        lambda: portalloc.environment(exact=[world.base, port]),
        lambda: portalloc.is_free(port),
        lambda: portalloc.who(port),
        lambda: portalloc.wait_until_open(port, wait=0),
        lambda: portalloc.wait_until_open([world.base, port], wait=0),
        lambda: portalloc.wait_until_free(port, wait=0),
        lambda: portalloc.wait_until_free([world.base, port], wait=0),
    ]
    for call in calls:
        with pytest.raises(portalloc.InvalidArgumentError) as raised:
            call()
        assert str(port) in raised.value.message


@pytest.mark.parametrize("offset", [65536, *OUT_OF_RANGE])
def test_an_offset_out_of_range(offset: int) -> None:
    for call in (portalloc.lease, portalloc.environment):
        with pytest.raises(portalloc.InvalidArgumentError):
            call(offsets=[0, offset])


@pytest.mark.parametrize("ports", [20001, 1.5, Thing()], ids=repr)
def test_ports_that_are_no_list(ports: Any) -> None:
    for call in (portalloc.lease, portalloc.environment):
        for name in ("exact", "offsets"):
            with pytest.raises(TypeError):
                call(**{name: ports})


def test_texts_are_no_lists_of_ports() -> None:
    for call in (portalloc.lease, portalloc.environment):
        for name in ("exact", "offsets"):
            with pytest.raises(TypeError):
                call(**{name: "20001"})
    for wait in (portalloc.wait_until_open, portalloc.wait_until_free):
        with pytest.raises(TypeError):
            wait("20001", wait=0)


def test_whole_numbers_of_other_libraries(world: World) -> None:
    base = world.base
    with portalloc.lease(Index(2)) as by_count:
        assert len(by_count) == 2
    with portalloc.lease(exact=[Index(base), Index(base + 1)]) as by_port:
        assert by_port.ports == (base, base + 1)
        assert {type(port) for port in by_port} == {int}
    with portalloc.lease(offsets=[Index(0), Index(2)]) as by_offset:
        assert len(by_offset) == 2
    assert portalloc.is_free(Index(base))
    assert portalloc.who(Index(base)).port == base
    portalloc.wait_until_free(Index(base), wait=0)
    with pytest.raises(portalloc.InvalidArgumentError):
        portalloc.lease(Index(10**30))
    with portalloc.lease(2) as lease:
        assert lease[Index(1)] == lease.ports[1]
        lease.socket(Index(1)).close()
    with portalloc.environment(Index(1)) as environment:
        assert environment.port(Index(0)) == environment.base_port


def test_any_iterable_of_ports(world: World) -> None:
    wanted = list(world.ports[:2])
    for ports in (wanted, tuple(wanted), dict.fromkeys(wanted), iter(wanted), range(world.base, world.base + 2)):
        with portalloc.lease(exact=ports) as lease:
            assert list(lease) == wanted
    with portalloc.lease(2) as first:
        pass
    with portalloc.lease(exact=first) as again:
        assert list(again) == list(first)


def test_what_an_argument_raises_is_raised() -> None:
    calls: list[Any] = [
        lambda: portalloc.lease(Broken()),
        lambda: portalloc.lease(exact=Broken()),
        lambda: portalloc.lease(exact=[Broken()]),
        lambda: portalloc.lease(wait=Broken()),
        lambda: portalloc.wait_until_open(Broken()),
        lambda: portalloc.environment(names=Broken()),
    ]
    for call in calls:
        with pytest.raises(ZeroDivisionError):
            call()


@pytest.mark.parametrize("timeout", NO_TIMES, ids=repr)
def test_a_time_that_is_no_number(world: World, timeout: Any) -> None:
    calls: list[Any] = [
        lambda: portalloc.lease(wait=timeout),
        lambda: portalloc.environment(wait=timeout),
        lambda: portalloc.environment(kept=True, ttl=timeout),
        lambda: portalloc.wait_until_open(world.base, timeout),
        lambda: portalloc.wait_until_free(world.base, wait=timeout),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("timeout", BAD_TIMES, ids=repr)
def test_a_time_out_of_range(world: World, timeout: Any) -> None:
    calls: list[Any] = [
        lambda: portalloc.lease(wait=timeout),
        lambda: portalloc.environment(wait=timeout),
        lambda: portalloc.environment(kept=True, ttl=timeout),
        lambda: portalloc.wait_until_open(world.base, timeout),
        lambda: portalloc.wait_until_free(world.base, wait=timeout),
    ]
    for call in calls:
        with pytest.raises(portalloc.InvalidArgumentError):
            call()


@pytest.mark.parametrize(
    "timeout", [0, 1, 0.5, math.inf, 1e300, timedelta(seconds=1), timedelta.max, Index(1), Fraction(1, 2)], ids=repr
)
def test_times_of_every_kind(world: World, timeout: Any) -> None:
    # Nothing is in the way, so that no time passes.
    with portalloc.lease(wait=timeout) as lease:
        assert lease.port in world.ports
    portalloc.wait_until_free(world.base, wait=timeout)
    with portalloc.environment(1, wait=timeout):
        pass


def test_a_time_to_live_beyond_all_calendars() -> None:
    for ttl in (math.inf, 1e300, timedelta.max):
        with pytest.raises(portalloc.InvalidArgumentError):
            portalloc.environment(kept=True, ttl=ttl)


@pytest.mark.parametrize("names", ["abc", "", b"abc", 1, [1], ["a", None], [b"a"]], ids=repr)
def test_names_that_are_no_list_of_texts(names: Any) -> None:
    for call in (portalloc.environment, portalloc.current):
        with pytest.raises(TypeError):
            call(names=names)


@pytest.mark.parametrize("pid", [*NO_INTS], ids=repr)
def test_an_owner_that_is_no_whole_number(pid: Any) -> None:
    with pytest.raises(TypeError):
        portalloc.environment(kept=True, owner_pid=pid)


@pytest.mark.parametrize("pid", OUT_OF_RANGE)
def test_an_owner_out_of_range(pid: int) -> None:
    with pytest.raises(portalloc.InvalidArgumentError):
        portalloc.environment(kept=True, owner_pid=pid)


@pytest.mark.parametrize("pool", [20001, ["20001"], b"20001", 1.5, True], ids=repr)
def test_a_pool_that_is_no_text(pool: Any) -> None:
    for call in (portalloc.lease, portalloc.environment, tools.settings):
        for name in ("pool", "exclude"):
            with pytest.raises(TypeError):
                call(**{name: pool})


@pytest.mark.parametrize("value", [1, 0, "yes", "", [], Thing()], ids=repr)
def test_a_switch_that_is_no_bool(value: Any) -> None:
    calls: list[Any] = [
        lambda: portalloc.lease(guard=value),
        lambda: portalloc.lease(scattered=value),
        lambda: portalloc.environment(kept=value),
        lambda: portalloc.environment(sticky=value),
    ]
    for call in calls:
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("path", [1, 1.5, [], Thing()], ids=repr)
def test_a_path_that_is_none(path: Any) -> None:
    with pytest.raises(TypeError):
        portalloc.environment(worktree=path)
    with pytest.raises(TypeError):
        portalloc.environment(env_file=path)


@pytest.mark.parametrize("text", ["pool\0", "\ud800"], ids=repr)
def test_texts_that_no_file_system_takes(text: str) -> None:
    for name in ("pool", "exclude", "worktree", "env_file", "instance_id"):
        with pytest.raises((ValueError, OSError)):
            portalloc.environment(**{name: text})


def test_most_arguments_are_keywords() -> None:
    with pytest.raises(TypeError):
        portalloc.lease(1, [20001])
    with pytest.raises(TypeError):
        portalloc.environment(1, ["web"])
    with pytest.raises(TypeError):
        portalloc.lease(colour="red")


@pytest.mark.parametrize("text", [1, None, b"0123456789ab"], ids=repr)
def test_an_id_that_is_no_text(text: Any) -> None:
    for call in (tools.parse_id, portalloc.validate, portalloc.cleanup):
        with pytest.raises(TypeError):
            call(text)


@pytest.mark.parametrize("syntax", ["bash", "", "Shell"])
def test_an_unknown_syntax(syntax: str) -> None:
    with pytest.raises(portalloc.InvalidArgumentError, match="shell, fish, powershell, dotenv or github"):
        tools.render([], syntax)


@pytest.mark.parametrize("variables", [1, [("A",)], [("A", 1)], [(1, "A")], ["AB"], [None]], ids=repr)
def test_variables_that_are_no_pairs_of_texts(variables: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        tools.render(variables)


@pytest.mark.parametrize("ports", [b"\x50\x51", bytearray(b"PQ"), "80"], ids=repr)
def test_bytes_and_texts_are_no_list_of_ports(ports: Any) -> None:
    with pytest.raises(TypeError):
        portalloc.lease(exact=ports)
    with pytest.raises(TypeError):
        portalloc.lease(offsets=ports)
    with pytest.raises(TypeError):
        portalloc.wait_until_open(ports, wait=0)
    assert portalloc.leases() == []


def test_an_offset_that_no_port_can_have() -> None:
    with pytest.raises(portalloc.InvalidArgumentError, match="65535"):
        portalloc.lease(offsets=[0, 65535])
