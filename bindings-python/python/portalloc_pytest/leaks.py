"""Servers that outlive their test: waits until they have ended, and reports those that have not.

Called while the ports are still leased. The core decides who counts as a server, and how long it may take to end.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc._portalloc import leaks

if TYPE_CHECKING:
    from collections.abc import Iterable


def find(ports: Iterable[int], *, ours_too: bool) -> list[str]:
    """A sentence for each of the ports on which something listens. Some 15 us a port if there is nothing.

    `ours_too`: whether sockets of this very process count.
    """
    ports = list(ports)
    try:
        found = leaks(ports, ours_too, patient=False)
        if found:
            if any(is_ours for _, is_ours in found):
                # An unreachable socket is garbage, not a server. Those in cycles, such as asyncio's, wait for the
                # collector.
                gc.collect()
            found = leaks(ports, ours_too, patient=True)
    except portalloc.Error as error:
        return [f"ports {ports}: something is bound to them, but portalloc cannot tell what: {error}"]
    return [message for message, _ in found]


def report(node: pytest.Item | pytest.Session, leaks: list[str], mode: str) -> None:
    """Fails in the mode `error`, and warns otherwise."""
    if leaks and mode == "error":
        pytest.fail("\n".join(leaks), pytrace=False)
    for leak in leaks:
        node.warn(portalloc.PortLeakWarning(leak))
