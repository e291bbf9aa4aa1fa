"""Servers that outlive their test: finds them, and says so.

Called while the ports are still leased, so whoever is on one of them got the number from the test. Knows sockets and
processes, not leases or fixtures.
"""

from __future__ import annotations

import gc
import os
import socket
import time
from typing import TYPE_CHECKING

import portalloc
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

# A server that was told to end and not waited for is given so long before it counts as a leak.
GRACE_SECONDS = 0.25
_LOOK_EVERY_SECONDS = 0.01


def find(ports: Iterable[int], *, ours_too: bool) -> list[str]:
    """A sentence for each of the ports on which something listens. Some 15 us a port if there is nothing.

    `ours_too`: whether sockets of this very process count.
    """
    suspects = [port for port in ports if not _is_quiet(port)]
    if not suspects:
        return []
    collected = False
    deadline = time.monotonic() + GRACE_SECONDS
    while True:
        try:
            reports = [portalloc.who(port) for port in suspects]
        except portalloc.Error as error:
            return [f"ports {suspects}: something is bound to them, but it cannot be told what: {error}"]
        found = [sentence for report in reports if (sentence := _describe(report, ours_too=ours_too))]
        if not found:
            return []
        if not collected and any(holder.pid == os.getpid() for report in reports for holder in report):
            # An unreachable socket is garbage, not a server. Those in cycles, such as asyncio's, wait for
            # the collector.
            gc.collect()
            collected = True
        elif time.monotonic() >= deadline:
            return found
        else:
            time.sleep(_LOOK_EVERY_SECONDS)


def report(node: pytest.Item | pytest.Session, leaks: list[str], mode: str) -> None:
    """Raises for the mode `error`, and warns else."""
    from portalloc_pytest import PortLeakWarning

    if leaks and mode == "error":
        pytest.fail("\n".join(leaks), pytrace=False)
    for leak in leaks:
        node.warn(PortLeakWarning(leak))


def _is_quiet(port: int) -> bool:
    """Whether certainly nothing listens on the port. A cheap look that disturbs nobody.

    Binding does not touch a server that is there, it only fails. Reuse is on for TCP, so that neither connections that
    wait to be forgotten look like a server, nor is a server kept off that binds at the same instant and sets it as
    well.
    """
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with _unbound(kind) as probe:
                if kind is socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("", port))
    except OSError:
        return False  # somebody is there, or it cannot be told this way
    return True


def _unbound(kind: socket.SocketKind) -> socket.socket:
    """Of both families, or of IPv4 where there is no IPv6."""
    try:
        probe = socket.socket(socket.AF_INET6, kind)
    except OSError:
        return socket.socket(socket.AF_INET, kind)
    try:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    except OSError:
        probe.close()
        raise
    return probe


def _describe(report: portalloc.PortReport, *, ours_too: bool) -> str | None:
    listening = [holder for holder in report if holder.listening]
    names = [_name(holder) for holder in listening if ours_too or holder.pid != os.getpid()]
    if not listening and any(entry.state in ("listen", "unconnected") for entry in report.sockets):
        names = ["a process that cannot be seen from here"]
    if not names:
        return None
    return f"port {report.port} is given back, but still listened on by {', '.join(names)}"


def _name(holder: portalloc.Holder) -> str:
    if holder.pid == os.getpid():
        return f"this very process, PID {holder.pid}: a socket or server that was not closed"
    name = f"PID {holder.pid} ({holder.command or holder.name or 'unknown command'})"
    return f"{name}, since {holder.started_at.isoformat(timespec='seconds')}" if holder.started_at else name
