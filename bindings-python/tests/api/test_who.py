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
    assert (report.isolation_id, report.lifetime, report.leased_by, report.leased_since) == (None, None, None, None)
    assert report.sockets == []
    assert list(report) == []
    assert str(world.base) in str(report)


def test_a_listener_of_this_process(world: World) -> None:
    with socket.create_server(("127.0.0.1", world.base)):
        report = portalloc.who(world.base)
    assert (report.in_use, report.leased) == (True, False)
    (holder,) = report
    assert holder.pid == os.getpid()
    assert holder.user == pwd.getpwuid(os.getuid()).pw_name
    assert holder.command is not None
    assert (holder.leased, holder.listening) == (False, True)
    assert holder.started_at is not None
    assert holder.started_at <= datetime.now(timezone.utc) + timedelta(seconds=1)
    (listener,) = report.sockets
    assert (listener.protocol, listener.local, listener.remote) == ("tcp", f"127.0.0.1:{world.base}", None)
    assert (listener.state, listener.pids) == ("listen", [os.getpid()])
    assert repr(listener) == f"<SocketInfo tcp 127.0.0.1:{world.base} listen>"


def test_a_listener_of_another_process(world: World, actor: Actor) -> None:
    actor.do(f"server = socket.create_server(('127.0.0.1', {world.base}))")
    report = portalloc.who(world.base)
    assert [holder.pid for holder in report] == [actor.pid]
    assert report[0].name is not None
    assert repr(report[0]) == f"<Holder PID {actor.pid} ({report[0].name})>"
    assert sys.executable in (report[0].command or "")
    assert str(actor.pid) in report.message
    assert str(report) == report.message
    assert repr(report) == f"<PortReport: {report.message}>"


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
    assert report[0].listening


def test_a_lease_to_which_nothing_is_bound(actor: Actor, world: World) -> None:
    actor.do(f"lease = portalloc.lease(exact=[{world.base}])")
    report = portalloc.who(world.base)
    assert (report.in_use, report.leased, report.lifetime) == (False, True, "held")
    assert (report.leased_by, report.isolation_id) == (actor.pid, None)
    assert report.leased_since is not None
    assert report.leased_since.tzinfo is not None
    assert [(holder.pid, holder.leased, holder.listening) for holder in report] == [(actor.pid, True, False)]
    assert report.sockets == []


def test_a_leased_port_with_its_server() -> None:
    with portalloc.lease() as lease, lease.socket():
        (holder,) = portalloc.who(lease.port)
    assert (holder.pid, holder.leased, holder.listening) == (os.getpid(), True, True)


def test_environments() -> None:
    with (
        portalloc.environment(1) as held,
        portalloc.environment(1, kept=True) as kept,
    ):
        of_held, of_kept = portalloc.who(held.base_port), portalloc.who(kept.base_port)
    assert (of_held.isolation_id, of_held.lifetime, of_held.leased_by) == (held.id, "held", os.getpid())
    assert (of_kept.isolation_id, of_kept.lifetime, of_kept.leased_by) == (kept.id, "kept", None)
    assert of_kept.leased
    assert list(of_kept) == []


def test_a_report_is_iterable_and_indexable(world: World) -> None:
    with socket.create_server(("127.0.0.1", world.base)):
        report = portalloc.who(world.base)
    assert len(report) == 1
    assert report[0] is report[-1]
    assert list(reversed(report)) == list(report)
    assert report[0] in report
    with pytest.raises(IndexError):
        report[1]
    with pytest.raises(AttributeError):
        report.port = 1  # type: ignore[misc]


def test_a_look_disturbs_nobody(world: World) -> None:
    with portalloc.lease(exact=[world.base], guard=True) as lease:
        portalloc.who(world.base)
        assert lease.guard_state == "exclusive"
    assert portalloc.who(world.base).sockets == []
    assert portalloc.leases() == []
