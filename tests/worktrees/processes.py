"""What the kernel says about processes and ports: who descends from this one, who listens, who lives.

Knows no portalloc and no test.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: So long anything may take on the slowest machine. Nothing waits for it but what is broken.
DEADLINE = 60.0

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on a daemon whose parent ends becomes a child of this process, which can therefore end it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _stat(pid: int) -> list[str]:
    """The fields from the third on, or none: the second, a name in parentheses, may contain anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - a thousand paths, each time


def is_alive(pid: int) -> bool:
    fields = _stat(pid)
    return bool(fields) and fields[0] not in "ZX"


def started(pid: int) -> tuple[int, str]:
    """A process, and not only its number, which another one may have later."""
    fields = _stat(pid)
    assert fields, f"process {pid} has ended"
    return (pid, fields[19])


def words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def descendants(ancestor: int) -> list[int]:
    """Who lives and descends from this process."""
    parents = {pid: int(fields[1]) for pid in _pids() if (fields := _stat(pid))}
    found = [ancestor]
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return [pid for pid in found[1:] if is_alive(pid)]


def reap(but: set[int]) -> None:
    """Of the orphans that this process has adopted, those that have ended. `but` are children that others wait for."""
    for pid in _pids():
        fields = _stat(pid)
        if fields and int(fields[1]) == os.getpid() and fields[0] == "Z" and pid not in but:
            os.waitpid(pid, os.WNOHANG)


def end_descendants(but: set[int]) -> list[str]:
    """SIGKILL to whoever is left, until nobody is. Returns who that was."""
    left: dict[int, str] = {}
    while pids := descendants(os.getpid()):
        for pid in pids:
            left[pid] = words(pid)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        reap(but)
        time.sleep(0.005)
    reap(but)
    return list(left.values())


def listeners(port: int) -> list[int]:
    """The processes that have a listening TCP socket on this port."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return []
    found = []
    for pid in _pids():
        try:
            if any(os.readlink(f"/proc/{pid}/fd/{fd}") in inodes for fd in os.listdir(f"/proc/{pid}/fd")):  # noqa: PTH115, PTH208
                found.append(pid)
        except OSError:
            continue
    return found


def until(what: str, condition: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Waits until the condition is true, and fails if it never is."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited {deadline} s in vain: {what}"
        time.sleep(0.02)
