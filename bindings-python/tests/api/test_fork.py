"""`os.fork`: a child has copies of everything, and may let go of nothing that is its parent's."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

import portalloc
import pytest
from support import can_bind, leased_by, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support import Actor, Child, World

LETTING_GO = {
    "release": "lease.release()",
    "leaving the block": "with lease: pass",
    "del": "del lease; gc.collect()",
    "release and del": "lease.release(); del lease; gc.collect()",
}
ENDS = {
    "os._exit": "os._exit(0)",
    "sys.exit": "sys.exit()",
    "an exception": "raise ValueError('meant')",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL)",
}


def is_leased_by(port: int, pid: int) -> bool:
    return not portalloc.is_free(port) and leased_by(port) == pid


@pytest.mark.parametrize("how", LETTING_GO)
def test_a_child_that_lets_go_of_its_copy_frees_nothing(how: str, actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}]); child = Fork()")
    actor.do(f"child.do({LETTING_GO[how]!r})")
    assert is_leased_by(world.base, actor.pid)
    actor.do("child.kill()")
    assert is_leased_by(world.base, actor.pid)
    assert actor.ask("lease.released") is False
    actor.do("lease.release()")
    assert portalloc.is_free(world.base)


@pytest.mark.parametrize("how", ENDS)
def test_a_child_that_ends_frees_nothing(how: str, children: Callable[..., Child], world: World) -> None:
    code = (
        "import os, portalloc, signal, sys\n"
        f"lease = portalloc.lease(exact=[{world.base}])\n"
        "environment = portalloc.environment(1)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)\n"
        f"    {ENDS[how]}\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), environment.id, flush=True)\n"
        "sys.stdin.readline()\n"
        "environment.cleanup(); lease.release()\n"
    )
    parent = children([sys.executable, "-c", code])
    status, identifier = parent.line().split()
    assert status == {"an exception": "1", "SIGKILL": "-9"}.get(how, "0")
    assert is_leased_by(world.base, parent.pid)
    assert portalloc.validate(identifier)
    assert len(world.left_behind()) == 1
    parent.send("end")
    assert parent.status() == 0
    assert portalloc.is_free(world.base)
    assert world.left_behind() == []


def test_the_release_of_a_parent_is_one_while_its_child_lives(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}]); child = Fork()")
    actor.do("lease.release()")
    assert portalloc.is_free(world.base)
    with portalloc.lease(exact=[world.base]):
        assert actor.ask("child.ask('lease.released')") is False
        actor.do("child.do('lease.release()')")
        actor.do("child.kill()")
        assert not portalloc.is_free(world.base)


def test_a_childs_copy_keeps_the_lease_of_a_parent_that_died(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}]); child = Fork()")
    child = actor.ask("child.pid")
    actor.kill()
    assert not portalloc.is_free(world.base)
    os.kill(child, 9)
    until("the port is free", lambda: portalloc.is_free(world.base))


def test_a_child_that_has_let_go_keeps_nothing(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}]); child = Fork()")
    actor.do("child.do('del lease; gc.collect()')")
    actor.kill()
    until("the port is free", lambda: portalloc.is_free(world.base))


def test_a_child_takes_leases_of_its_own(actor: Actor) -> None:
    actor.do("lease = portalloc.lease(3); children = [Fork(), Fork()]")
    actor.do("for child in children: child.do('own = portalloc.lease(3)')")
    groups = actor.ask("[lease.ports] + [child.ask('own.ports') for child in children]")
    ports = [port for group in groups for port in group]
    assert len(set(ports)) == 9
    pids = actor.ask("[os.getpid()] + [child.pid for child in children]")
    for group, pid in zip(groups, pids, strict=True):
        assert all(is_leased_by(port, pid) for port in group)
    # They end with the child, whatever the parent does.
    actor.do("children[0].kill()")
    assert all(map(portalloc.is_free, groups[1]))
    assert not any(map(portalloc.is_free, groups[0] + groups[2]))
    actor.do("children[1].do('own.release()')")
    assert all(map(portalloc.is_free, groups[2]))


def test_a_child_made_while_another_thread_waits(actor: Actor, world: World) -> None:
    """A child has only the forking thread, and whatever locks the others held."""
    actor.do(f"lease = portalloc.lease(exact=[{world.base}])")
    actor.do(
        "def wait(): portalloc.lease(exact=[lease.port], wait=3600)\n"
        "for _ in range(8): threading.Thread(target=wait, daemon=True).start()"
    )
    for _ in range(10):
        actor.do("child = Fork()")
        actor.do("child.do('with portalloc.lease(): pass')")
        actor.do("child.kill()")
    assert is_leased_by(world.base, actor.pid)


def test_a_child_cannot_use_the_lease_itself(actor: Actor) -> None:
    actor.do("lease = portalloc.lease(guard=True); child = Fork()")
    for use in ("guard()", "share_guard()", "socket()", "inheritable()"):
        actor.do(f"child.do('try: lease.{use}; raised = None\\nexcept portalloc.Error as error: raised = error.code')")
        assert actor.ask("child.ask('raised')") == "unsupported", use
    assert actor.ask("child.ask('lease.ports')") == actor.ask("lease.ports")
    assert actor.ask("lease.guard_state") == "exclusive"


def test_a_child_reads_its_copy_of_an_environment_and_cannot_end_it(actor: Actor, world: World) -> None:
    actor.do("environment = portalloc.current(2); child = Fork()")
    identifier, ports = actor.ask("[environment.id, environment.ports]")
    assert actor.ask("child.ask('[environment.id, environment.ports]')") == [identifier, ports]
    actor.do("child.do('environment.lease.release()')")
    actor.do("child.do('with environment: pass')")
    assert actor.ask("child.ask('os.environ[\"ISOLATION_ID\"]')") == identifier
    actor.do(
        "child.do('try: environment.cleanup()\\nexcept portalloc.EnvironmentInUseError as error: code = error.code')"
    )
    assert actor.ask("child.ask('code')") == "in_use"
    actor.do("child.do('del environment; gc.collect()')")
    assert actor.ask("child.ask('portalloc.attach(%r).id' % environment.id)") == identifier
    assert portalloc.validate(identifier)
    actor.do("child.kill(); environment.cleanup()")
    assert all(map(portalloc.is_free, ports))
    assert world.left_behind() == []


def test_forks_of_forks(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}]); child = Fork()")
    actor.do("child.do('grandchild = Fork(); grandchild.do(\"lease.release()\")')")
    actor.do("child.do('own = portalloc.lease(); grandchild.do(\"del lease\")')")
    assert is_leased_by(world.base, actor.pid)
    own = actor.ask("child.ask('[own.port, grandchild.pid]')")
    actor.do("child.kill()")
    # The grandchild was forked before, and has no copy.
    assert portalloc.is_free(own[0])
    os.kill(own[1], 9)
    assert is_leased_by(world.base, actor.pid)


def test_held_in_a_child_is_what_keeps_the_lease_alive(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}]); child = Fork()")
    assert actor.ask("[lease.held, child.ask('lease.held')]") == [True, True]
    actor.do("child.do('lease.release()')")
    assert is_leased_by(world.base, actor.pid)
    assert actor.ask("lease.held") is True
    actor.do("lease.release()")
    assert actor.ask("[lease.held, lease.released]") == [False, True]


FORKS = {
    "os.fork": "child = Fork()",
    "multiprocessing": (
        "import multiprocessing\n"
        "context = multiprocessing.get_context('fork')\n"
        "ready = context.Event()\n"
        "def wait(): ready.set(); signal.pause()\n"
        "child = context.Process(target=wait, daemon=True)\n"
        "child.start(); ready.wait()"
    ),
    "a fork of a fork": "child = Fork(); child.do('grandchild = Fork()'); child.do('os.kill(os.getpid(), 0)')",
}


@pytest.mark.parametrize("how", FORKS)
@pytest.mark.parametrize("end", ["release", "drop_guard"])
def test_a_guard_ends_while_a_child_lives(end: str, how: str, actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}], guard=True)")
    actor.do(FORKS[how])
    assert not can_bind(world.base, reuse=True)
    actor.do(f"lease.{end}()")
    # The child closes its copies before fork returns there, which may be after it has returned here.
    until("the child has closed its copies", lambda: can_bind(world.base, reuse=False))
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for host in ("127.0.0.1", "::1"):
            assert can_bind(world.base, reuse=False, kind=kind, host=host)
    assert portalloc.is_free(world.base) == (end == "release")


def test_an_share_guard_is_not_kept_by_a_child_either(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}], guard=True); lease.share_guard(); child = Fork()")
    assert not can_bind(world.base, reuse=False)
    actor.do("lease.release()")
    until("the child has closed its copies", lambda: can_bind(world.base, reuse=False))


def test_a_child_that_leaves_the_block_of_a_kept_environment_leaves_it_alone(actor: Actor) -> None:
    actor.do("environment = portalloc.environment(1, kept=True); child = Fork()")
    identifier = actor.ask("environment.id")
    actor.do("child.do('with environment: pass')")
    assert portalloc.validate(identifier)
    actor.do("with environment: pass")
    assert portalloc.environments() == []
