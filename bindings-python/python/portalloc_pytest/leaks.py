"""Servers that outlive their test: waits until they are gone, and says so of those that stay.

Called while the ports are still leased. Who counts as a server, and what is said of it, is the core's.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc._portalloc import leaks

if TYPE_CHECKING:
    from collections.abc import Iterable


class PortLeakWarning(portalloc.PortallocWarning):
    """A test is over, and a server still listens on a port that was leased for it."""

    # Where it is public, and where filters are told to find it.
    __module__ = "portalloc_pytest"


# A server that was told to end and not waited for is given so long before it counts as a leak.
GRACE_SECONDS = 0.25
_LOOK_EVERY_SECONDS = 0.01


def find(ports: Iterable[int], *, ours_too: bool) -> list[str]:
    """A sentence for each of the ports on which something listens. Some 15 us a port if there is nothing.

    `ours_too`: whether sockets of this very process count.
    """
    ports = list(ports)
    collected = False
    deadline = time.monotonic() + GRACE_SECONDS
    while True:
        try:
            found = leaks(ports, ours_too)
        except portalloc.Error as error:
            return [f"ports {ports}: something is bound to them, but it cannot be told what: {error}"]
        if not found:
            return []
        if not collected and any(leak.is_ours for leak in found):
            # An unreachable socket is garbage, not a server. Those in cycles, such as asyncio's, wait for
            # the collector.
            gc.collect()
            collected = True
        elif time.monotonic() >= deadline:
            return [leak.message for leak in found]
        else:
            time.sleep(_LOOK_EVERY_SECONDS)


def report(node: pytest.Item | pytest.Session, leaks: list[str], mode: str) -> None:
    """Raises for the mode `error`, and warns else."""
    if leaks and mode == "error":
        pytest.fail("\n".join(leaks), pytrace=False)
    for leak in leaks:
        node.warn(PortLeakWarning(leak))
