"""Which object of this process has a port, when a test meets a server that an earlier one left open.

The core tells that this very process has a socket on the port; only Python knows which object that is.
"""

from __future__ import annotations

import gc
import socket
import sysconfig
import tracemalloc


def describe(port: int) -> str:
    """The sockets on `port`, and where they were opened if Python traces that; empty if no Python object has one."""
    found = [one for one in gc.get_objects() if isinstance(one, socket.socket) and _port(one) == port]
    return "".join(f"; its socket is {one!r}{_opened_at(one)}" for one in found)


def _port(one: socket.socket) -> object:
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        return one.getsockname()[1]
    except OSError:
        return None  # closed


def _opened_at(one: socket.socket) -> str:
    if not tracemalloc.is_tracing():
        return " (python -X tracemalloc=25 tells where it was opened)"
    standard = sysconfig.get_path("stdlib")
    for frame in reversed(tracemalloc.get_object_traceback(one) or ()):
        if not frame.filename.startswith(standard):
            return f", opened at {frame.filename}:{frame.lineno}"
    return ""
