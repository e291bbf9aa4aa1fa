"""What the processes of a run of pytest-xdist tell each other, by a file without a name that the controller has open.

A worker opens it through /proc. So it finds it only where the controller's PID means the same process to both of them:
not from another machine, and not from another PID namespace. The file ends with the controller, however that ends, and
its lock with the worker that has it.

Knows nothing of what is told. Loaded under xdist only.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


class Board:
    """Facts by name. The latest of a name counts."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def put_up(cls) -> Board:
        """In the controller."""
        with tempfile.TemporaryFile() as file:
            os.fchmod(file.fileno(), 0o600)  # whatever the umask is
            board = cls(os.dup(file.fileno()))
        board.tell(token=os.urandom(16).hex())
        return board

    @property
    def address(self) -> dict[str, Any]:
        """For `look_up`."""
        return {"pid": os.getpid(), "descriptor": self._descriptor, "token": self.facts()["token"]}

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        for line in os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0).splitlines():
            facts.update(json.loads(line))
        return facts

    def tell(self, **facts: Any) -> None:
        # In one write, so that a process that is killed has told all of it, or nothing.
        os.write(self._descriptor, _line(facts))

    @contextlib.contextmanager
    def locked(self) -> Generator[None]:
        """In a worker, against the other ones. A child that is forked meanwhile has no part in it."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def has_token(self, token: str) -> bool:
        """Whether this is a board at all, and the one that was put up with this token."""
        line = _line({"token": token})
        try:
            return os.pread(self._descriptor, len(line), 0) == line
        except OSError:  # a pipe, for example
            return False

    def close(self) -> None:
        os.close(self._descriptor)


@contextlib.contextmanager
def look_up(address: Mapping[str, Any]) -> Generator[Board | None]:
    """In a worker: the board of its controller, or `None` where that cannot be seen."""
    path = f"/proc/{address['pid']}/fd/{address['descriptor']}"
    try:
        board = Board(os.open(path, os.O_RDWR | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY))
    except OSError:
        yield None
        return
    try:
        yield board if board.has_token(address["token"]) else None
    finally:
        board.close()


def _line(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts).encode() + b"\n"
