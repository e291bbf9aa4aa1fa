"""A guard against programs that know nothing of portalloc: real ones that name the very port."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import can_bind

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Actor, World

HOSTS = ("127.0.0.1", "0.0.0.0", "::1", "::")


def bindable(port: int, *, reuse: bool) -> list[str]:
    return [host for host in HOSTS if can_bind(port, reuse=reuse, host=host)]


def test_without_a_guard_strangers_get_in() -> None:
    with portalloc.lease() as lease:
        assert lease.guard_state == "none"
        assert bindable(lease.port, reuse=False) == list(HOSTS)


def test_a_shut_guard_keeps_everybody_off() -> None:
    with portalloc.lease(2, guard=True) as lease:
        assert lease.guard_state == "exclusive"
        for port in lease:
            assert bindable(port, reuse=False) == []
            assert bindable(port, reuse=True) == []
            assert not can_bind(port, reuse=True, kind=socket.SOCK_DGRAM)


def test_clients_of_a_guarded_port_are_refused() -> None:
    with portalloc.lease(guard=True) as lease, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", lease.port))


def test_an_share_guard_lets_in_who_sets_the_option() -> None:
    with portalloc.lease(guard=True) as lease:
        lease.share_guard()
        assert lease.guard_state == "shared"
        assert bindable(lease.port, reuse=False) == []
        assert bindable(lease.port, reuse=True) == list(HOSTS)
        assert can_bind(lease.port, reuse=False, kind=socket.SOCK_DGRAM)


def test_a_dropped_guard_lets_everybody_in_and_the_lease_stays() -> None:
    with portalloc.lease(guard=True) as lease:
        lease.drop_guard()
        assert lease.guard_state == "none"
        assert bindable(lease.port, reuse=False) == list(HOSTS)
        assert not portalloc.is_free(lease.port)
        lease.drop_guard()


def test_a_guard_can_be_put_up_later() -> None:
    with portalloc.lease() as lease:
        lease.guard()
        assert lease.guard_state == "exclusive"
        assert bindable(lease.port, reuse=True) == []


def test_a_guard_that_comes_too_late_says_so() -> None:
    with portalloc.lease() as lease, socket.socket() as foreign:
        foreign.bind(("127.0.0.1", lease.port))
        with pytest.raises(portalloc.PortInUseError) as raised:
            lease.guard()
        assert str(lease.port) in raised.value.message
        assert lease.guard_state == "none"
        assert not lease.released


def test_without_a_guard_there_is_nothing_to_open() -> None:
    with portalloc.lease() as lease:
        lease.share_guard()
        assert lease.guard_state == "none"
        assert bindable(lease.port, reuse=False) == list(HOSTS)


def test_a_guard_goes_with_its_lease(world: World) -> None:
    lease = portalloc.lease(exact=[world.base], guard=True)
    lease.release()
    assert lease.guard_state == "none"
    assert portalloc.is_free(world.base)


@pytest.mark.parametrize("use", [portalloc.Lease.guard, portalloc.Lease.share_guard])
def test_a_released_lease_cannot_be_guarded(use: Callable[[portalloc.Lease], None]) -> None:
    with portalloc.lease() as lease:
        pass
    with pytest.raises(portalloc.InvalidArgumentError, match="released"):
        use(lease)
    assert lease.guard_state == "none"


def test_a_guard_goes_with_its_process(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}], guard=True)")
    assert bindable(world.base, reuse=True) == []
    actor.kill()
    with portalloc.lease(exact=[world.base], wait=60) as lease:
        assert lease.port == world.base


def test_an_environment_can_be_guarded() -> None:
    with portalloc.environment(2, guard=True) as environment:
        lease = environment.lease
        assert lease is not None
        assert lease.guard_state == "exclusive"
        assert bindable(environment.base_port, reuse=True) == []
        lease.share_guard()
        assert bindable(environment.base_port, reuse=True) == list(HOSTS)
