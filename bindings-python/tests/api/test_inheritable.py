"""A lease passed on to a child process lives as long as anybody has it, whatever happens to whom."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Actor, Child, World

IDLE = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]


def test_the_descriptor_is_inherited_until_it_is_closed() -> None:
    with portalloc.lease() as lease:
        copy = lease.inheritable()
        descriptor = copy.fileno()
        assert os.get_inheritable(descriptor)
        assert repr(copy) == f"<Inheritable fd={descriptor}>"
        with copy as entered:
            assert entered == descriptor
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
        copy.close()
        assert repr(copy) == "<Inheritable closed>"
        for use in (copy.fileno, copy.__enter__):
            with pytest.raises(ValueError, match="closed"):
                use()


def test_it_outlives_the_release_of_its_parent(children: Callable[..., Child], world: World) -> None:
    lease = portalloc.lease(exact=[world.base])
    with lease.inheritable() as descriptor:
        child = children(IDLE, pass_fds=[descriptor])
    assert child.line() == "up"
    lease.release()
    assert lease.released
    assert not portalloc.is_free(world.base)
    with pytest.raises(portalloc.PortInUseError):
        portalloc.lease(exact=[world.base])
    child.kill()
    until("the port is free", lambda: portalloc.is_free(world.base))


def test_it_outlives_the_death_of_its_parent(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(2, exact=[{world.base}, {world.base + 1}])")
    actor.do("with lease.inheritable() as fd: child = subprocess.Popen(['sleep', '1000'], pass_fds=[fd])")
    child = actor.ask("child.pid")
    actor.kill()
    assert [portalloc.is_free(port) for port in world.ports[:2]] == [False, False]
    os.kill(child, 9)
    until("the ports are free", lambda: all(map(portalloc.is_free, world.ports[:2])))


def test_children_that_are_started_later_do_not_have_it(children: Callable[..., Child], world: World) -> None:
    lease = portalloc.lease(exact=[world.base])
    with lease.inheritable():
        pass
    child = children(IDLE, close_fds=False)
    assert child.line() == "up"
    lease.release()
    until("the port is free", lambda: portalloc.is_free(world.base))


def test_a_copy_that_is_open_keeps_the_lease(world: World) -> None:
    lease = portalloc.lease(exact=[world.base])
    copy = lease.inheritable()
    lease.release()
    assert not portalloc.is_free(world.base)
    copy.close()
    assert portalloc.is_free(world.base)


def test_a_copy_that_is_forgotten_is_closed(world: World) -> None:
    lease = portalloc.lease(exact=[world.base])
    lease.inheritable()
    lease.release()
    assert portalloc.is_free(world.base)


def test_a_guard_is_not_passed_on(world: World) -> None:
    lease = portalloc.lease(exact=[world.base], guard=True)
    with lease.inheritable() as descriptor, subprocess.Popen(["sleep", "1000"], pass_fds=[descriptor]) as child:
        try:
            lease.release()
            # The child's copies are closed one by one as its program starts, and this process goes on meanwhile.
            until("the guard is gone", lambda: not portalloc.who(world.base).in_use)
            assert portalloc.who(world.base).leased
        finally:
            child.kill()


def test_a_released_lease_cannot_be_passed_on() -> None:
    with portalloc.lease() as lease:
        pass
    with pytest.raises(portalloc.InvalidArgumentError, match="released"):
        lease.inheritable()


def test_a_forked_child_cannot_pass_it_on(actor: Actor) -> None:
    actor.do("lease = portalloc.lease(); child = Fork()")
    actor.do("child.do('try: lease.inheritable()\\nexcept portalloc.UnsupportedError as error: code = error.code')")
    assert actor.ask("child.ask('code')") == "unsupported"


def test_that_of_an_environment_outlives_its_maker(actor: Actor, world: World) -> None:
    actor.do(f"environment = portalloc.environment(exact=[{world.base}])")
    actor.do("with environment.lease.inheritable() as fd: child = subprocess.Popen(['sleep', '1000'], pass_fds=[fd])")
    child = actor.ask("child.pid")
    actor.kill()
    assert not portalloc.is_free(world.base)
    os.kill(child, 9)
    until("the port is free", lambda: portalloc.is_free(world.base))
