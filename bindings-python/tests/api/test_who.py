"""Who is on a port: processes, sockets, and the lease or environment that has it."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import portalloc
import pytest

if TYPE_CHECKING:
    from support import Actor, World


def test_nobody(world: World) -> None:
    report = portalloc.who(world.base)
    assert report.port == world.base
    assert (report.in_use, report.leased) == (False, False)
    assert report.lease is None
    assert report.sockets == ()
    assert report.holders == ()
    assert str(world.base) in str(report)


def test_a_listener_of_this_process(world: World) -> None:
    with socket.create_server(("127.0.0.1", world.base)):
        report = portalloc.who(world.base)
    assert (report.in_use, report.leased) == (True, False)
    (holder,) = report.holders
    assert holder.pid == os.getpid()
    assert holder.user == pwd.getpwuid(os.getuid()).pw_name
    assert holder.command is not None
    assert (holder.leased, holder.listening) == (False, True)
    assert holder.started_at is not None
    assert holder.started_at <= datetime.now(timezone.utc) + timedelta(seconds=1)
    (listener,) = report.sockets
    assert (listener.protocol, listener.local, listener.remote) == ("tcp", f"127.0.0.1:{world.base}", None)
    assert (listener.state, [process.pid for process in listener.processes]) == ("listen", [os.getpid()])
    assert (listener.user_id, listener.hidden) == (os.getuid(), None)


def test_a_listener_of_another_process(world: World, actor: Actor) -> None:
    actor.do(f"server = socket.create_server(('127.0.0.1', {world.base}))")
    report = portalloc.who(world.base)
    assert [holder.pid for holder in report.holders] == [actor.pid]
    assert report.holders[0].name is not None
    assert sys.executable in (report.holders[0].command or "")
    assert str(actor.pid) in report.message
    assert str(report) == report.message


def test_a_connection(world: World) -> None:
    with (
        socket.create_server(("127.0.0.1", world.base)) as server,
        socket.create_connection(("127.0.0.1", world.base)) as client,
        server.accept()[0],
    ):
        states = {found.state: found for found in portalloc.who(world.base).sockets}
        assert set(states) == {"listen", "established"}
        assert states["established"].remote == "{}:{}".format(*client.getsockname())


def test_udp(world: World) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as server:
        server.bind(("::1", world.base))
        report = portalloc.who(world.base)
    assert [(found.protocol, found.local, found.state) for found in report.sockets] == [
        ("udp", f"[::1]:{world.base}", "unconnected")
    ]
    assert report.holders[0].listening


def test_a_lease_to_which_nothing_is_bound(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}])")
    report = portalloc.who(world.base)
    assert (report.in_use, report.leased) == (False, True)
    assert report.lease is not None
    assert (report.lease.lifetime, report.lease.isolation_id) == ("held", None)
    assert report.lease.holder is not None
    assert report.lease.holder.pid == actor.pid
    assert report.lease.since is not None
    assert report.lease.since.tzinfo is not None
    assert [(holder.pid, holder.leased, holder.listening) for holder in report.holders] == [(actor.pid, True, False)]
    assert report.sockets == ()


def test_a_leased_port_with_its_server() -> None:
    with portalloc.lease() as lease, lease.socket():
        (holder,) = portalloc.who(lease.port).holders
    assert (holder.pid, holder.leased, holder.listening) == (os.getpid(), True, True)


def test_environments() -> None:
    with (
        portalloc.environment(1) as held,
        portalloc.environment(1, kept=True) as kept,
    ):
        of_held, of_kept = portalloc.who(held.base_port), portalloc.who(kept.base_port)
    assert of_held.lease is not None
    assert (of_held.lease.isolation_id, of_held.lease.lifetime) == (held.id, "held")
    assert of_held.lease.holder is not None
    assert of_held.lease.holder.pid == os.getpid()
    assert of_held.lease.worktree_path == held.worktree_path
    assert of_kept.lease is not None
    assert (of_kept.lease.isolation_id, of_kept.lease.lifetime, of_kept.lease.holder) == (kept.id, "kept", None)
    assert of_kept.holders == ()


def test_a_report_cannot_be_changed(world: World) -> None:
    report = portalloc.who(world.base)
    with pytest.raises(AttributeError):
        report.port = 1  # type: ignore[misc]
    assert report == portalloc.who(world.base)


def test_a_look_disturbs_nobody(world: World) -> None:
    with portalloc.lease(exact=[world.base], guard=True) as lease:
        portalloc.who(world.base)
        assert lease.guard_state == "exclusive"
    assert portalloc.who(world.base).sockets == ()
    assert portalloc.leases() == []
