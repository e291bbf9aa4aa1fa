"""What the tests of the plugin share: an inner suite in a directory, a registry and ports of its own.

An inner suite runs in processes of its own, as a user's would. It tells what it saw by the fixture `record`, which
appends a line to a file; so tests compare facts, not texts of a terminal.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import portalloc
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEADLINE_SECONDS = 60.0

_CONFTEST = """
import json, os, pytest

@pytest.fixture(scope="session")
def record():
    def append(**facts):
        facts.setdefault("pid", os.getpid())
        line = (json.dumps(facts) + chr(10)).encode()
        file = os.open(os.environ["RECORDS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        assert os.write(file, line) == len(line)
        os.close(file)
    return append
"""

# Plugins that change the order of tests, warn by themselves or need a network: only for those tests that ask for them.
_COMPANIONS = ("asyncio", "randomly", "rerunfailures", "timeout")


def until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of `condition`, or a failure after the deadline."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f"still not so after {DEADLINE_SECONDS:.0f} s: {what}")


def unavailable(reason: str) -> NoReturn:
    """Skips the test on a developer's machine. Fails in CI, where everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must have this: {reason}")
    pytest.skip(reason)


def need(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        unavailable(f"{module} is not installed")


def is_listening(port: int) -> bool:
    return any(entry.state == "listen" for entry in portalloc.who(port).sockets)


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the latter if it goes between opening and reading
        return False


class Inner:
    """An inner suite: its files, its registry, its ports, and what became of it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ports: Sequence[int]) -> None:
        self.pytester = pytester
        self.python = sys.executable
        self.path = pytester.path
        self.ports = ports
        self.pool = f"{ports[0]}-{ports[-1]}"
        self.temp = self.path / "system-temp"
        self.temp.mkdir()
        self._records = self.path / "records"
        self.base = self.path.parent / f"{self.path.name}-basetemp"
        for name in (
            "PORTALLOC_EXCLUDE",
            "PORTALLOC_LOG",
            "ISOLATION_ID",
            "PYTEST_ADDOPTS",
            "PYTEST_XDIST_WORKER",
            "PYTEST_XDIST_TESTRUNUID",
        ):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PORTALLOC_DIR", str(self.path / "registry"))
        monkeypatch.setenv("PORTALLOC_POOL", self.pool)
        monkeypatch.setenv("TMPDIR", str(self.temp))
        monkeypatch.setenv("RECORDS", str(self._records))
        # A suite that is written anew in the same second, with the same size, would be taken for the old one.
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        pytester.makeconftest(_CONFTEST)

    def conftest(self, source: str) -> None:
        """Beside the fixture `record`."""
        self.pytester.makeconftest(_CONFTEST + source)

    def suite(self, source: str) -> None:
        self.pytester.makepyfile(test_inner=source)

    def project(self, toml: str) -> None:
        (self.path / "portalloc.toml").write_text(toml)

    def arguments(self, *arguments: str, plugins: Sequence[str] = ()) -> list[str]:
        off = [f"-pno:{name}" for name in _COMPANIONS if name not in plugins]
        return [self.python, "-m", "pytest", *off, f"--basetemp={self.base}", *arguments]

    def run(self, *arguments: str, plugins: Sequence[str] = (), prefix: Sequence[str] = ()) -> pytest.RunResult:
        """To its end."""
        return self.pytester.run(*prefix, *self.arguments(*arguments, plugins=plugins), timeout=5 * DEADLINE_SECONDS)

    def start(self, *arguments: str) -> Running:
        return Running(self, self.arguments(*arguments))

    def records(self) -> list[dict[str, Any]]:
        """What the suite has told by now."""
        if not self._records.exists():
            return []
        return [json.loads(line) for line in self._records.read_text().splitlines()]

    def record(self) -> dict[str, Any]:
        (only,) = self.records()
        return only

    def leftovers(self) -> list[str]:
        """What should not be there when a run is over: environments, leases and temp dirs."""
        environments = [f"environment {one.isolation_id} ({one.status})" for one in portalloc.environments()]
        leases = [f"lease of {one.ports}" for one in portalloc.leases()]
        return [*environments, *leases, *(f"file {path}" for path in self.temp.glob("portalloc-*"))]


class Running:
    """An inner run in the background, with its workers in a process group of its own."""

    def __init__(self, inner: Inner, arguments: list[str]) -> None:
        self._log = inner.path / "running.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                arguments,
                cwd=inner.path,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def wait(self) -> int:
        try:
            return self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"the inner run does not end:\n{self.output}")
