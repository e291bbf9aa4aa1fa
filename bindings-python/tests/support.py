"""What tests need to watch real processes: a world of their own, conditions with a deadline, children that always end.

Knows no expectation and no single test.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: So long anything may take on the slowest machine. Nothing waits for it but what is broken.
DEADLINE = 60.0

#: All test runs of this machine meet here, in whatever language, so that none gets another's ports.
SLICES = Path(tempfile.gettempdir()) / "portalloc-test-ports"
SLICES_POOL = "20001-29999"


class World:
    """A registry, a pool, a temp directory and a worktree that only one test has."""

    def __init__(self, scratch: Path, ports: Sequence[int]) -> None:
        self.scratch = scratch
        self.ports = tuple(ports)
        self.base = self.ports[0]
        self.pool = f"{self.ports[0]}-{self.ports[-1]}"
        self.registry = scratch / "registry"
        self.temp = scratch / "temp"
        self.work = scratch / "work"
        self.temp.mkdir()
        self.work.mkdir()

    def left_behind(self) -> list[str]:
        """The names in the temp directory and the worktree."""
        return sorted(path.name for directory in (self.temp, self.work) for path in directory.iterdir())


def until(what: str, condition: Callable[[], object], deadline: float = DEADLINE) -> None:
    """Waits until the condition is true, and fails if it never is."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited {deadline} s in vain: {what}"
        time.sleep(0.005)


def run(
    code: str, *arguments: object, flags: Sequence[str] = (), env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs Python code in a process of its own to its end."""
    command = [sys.executable, *flags, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
    )


class Child:
    """A child process in a session of its own, which `end` ends with everything that it started."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self.process = subprocess.Popen(
            command, start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options
        )
        self.pid = self.process.pid
        self._seen = b""

    def line(self) -> str:
        """The next line of its output."""
        assert self.process.stdout is not None
        end = time.monotonic() + DEADLINE
        while b"\n" not in self._seen:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            assert readable, f"no line within {DEADLINE} s, but {self._seen!r}"
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, f"the output ended with {self._seen!r}"
            self._seen += more
        line, self._seen = self._seen.split(b"\n", 1)
        return line.decode()

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to this one process. Returns when it is dead."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Until it has ended. It is not reaped, so that its ID, which is also its group's, stays its own."""
        flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
        until(f"process {self.pid} ends", lambda: os.waitid(os.P_PID, self.pid, flags))

    def status(self) -> int:
        """Its exit status, once it has ended by itself: negative for a signal."""
        self.wait()
        self._kill_group()
        return self.process.wait()

    def end(self) -> None:
        self._kill_group()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.process.wait()

    def _kill_group(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


class Actor(Child):
    """A Python process that does what it is told, line by line; `Fork()` in it is a forked child that does, too."""

    def __init__(self, *flags: str, **options: Any) -> None:
        super().__init__([sys.executable, *flags, "-c", _ACTOR], **options)

    def do(self, code: str) -> None:
        """Executes statements."""
        self._answer("exec", code)

    def ask(self, code: str) -> Any:
        """The value of an expression, by way of JSON: tuples are lists."""
        return self._answer("eval", code)

    def begin(self, code: str) -> None:
        """Begins with statements that may take long; `finish` gives what came of them."""
        self.send(json.dumps(["exec", code]))

    def finish(self) -> None:
        self._read()

    def _answer(self, kind: str, code: str) -> Any:
        self.send(json.dumps([kind, code]))
        return self._read()

    def _read(self) -> Any:
        answer = json.loads(self.line())
        if "error" in answer:
            raise ActorError(answer["error"])
        return answer["value"]


class ActorError(Exception):
    """What an actor's code raised, as `Type: text`."""


_ACTOR = """
import gc, json, os, signal, socket, subprocess, sys, threading, time
import portalloc
from portalloc import tools

def serve(lines, answers):
    while line := lines.readline():
        kind, code = json.loads(line)
        try:
            done = (eval if kind == "eval" else exec)(code, globals())
            answer = {"value": done}
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
            del error
        print(json.dumps(answer), file=answers, flush=True)

class Fork:
    def __init__(self):
        (down, to_child), (from_child, up) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(to_child), os.close(from_child)
            # Whoever sees the end of the pipe has outlived its parent, and lives on until it is killed.
            serve(os.fdopen(down), os.fdopen(up, "w"))
            while True:
                signal.pause()
        os.close(down), os.close(up)
        self.to, self.back = os.fdopen(to_child, "w"), os.fdopen(from_child)

    def do(self, code):
        return self.answer("exec", code)

    def ask(self, code):
        return self.answer("eval", code)

    def answer(self, kind, code):
        print(json.dumps([kind, code]), file=self.to, flush=True)
        answer = json.loads(self.back.readline() or '{"error": "EOF"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

serve(sys.stdin, sys.stdout)
"""


def can_bind(port: int, *, reuse: bool, kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> bool:
    """Whether a foreign process that names the port gets it. It leaves at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as foreign:
        if reuse:
            foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            foreign.bind((host, port))
            if kind is socket.SOCK_STREAM:
                foreign.listen()
        except OSError:
            return False
        return True


def leased_by(port: int) -> int | None:
    """The process that took the lease of a port."""
    import portalloc

    claim = portalloc.who(port).lease
    return claim.holder.pid if claim and claim.holder else None


def exists(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter if it goes between opening and reading
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
