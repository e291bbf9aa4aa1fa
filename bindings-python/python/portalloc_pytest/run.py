"""The environment of the whole run: which process makes it, which attach to it, which ends it.

Three roles, one object in each process. **Controller** of pytest-xdist: makes it before the first worker starts, and
tells each worker its ID. **Worker**: attaches. **Alone**: makes it when the first test that needs it starts. Only the
process that made it ends it: not a worker, and not a forked child of the maker.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import portalloc

    from portalloc_pytest.options import Options

# Under this name the controller tells its workers: {"id": ...} or {"error": ...}.
_KEY = "portalloc_run"


class RunIsolation:
    """`run_isolation` in one process. Nothing is imported or made before it is needed."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self._options = options
        workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._offer: dict[str, str] | None = None if workerinput is None else workerinput.get(_KEY, {})
        self._environment: portalloc.Environment | None = None
        self._error: Exception | None = None
        self._pid: int | None = None  # who made it
        self._leaks: list[str] = []

    def offer(self, workerinput: dict[str, Any]) -> None:
        """In the controller: makes it, once, and tells a worker its ID.

        Passes a failure on, too, instead of raising it: the tests of the run may not need the environment.
        """
        environment = self.prepare()
        if environment is not None:
            workerinput[_KEY] = {"id": environment.id}
        else:
            workerinput[_KEY] = {"error": f"{type(self._error).__name__}: {self._error}"}

    def prepare(self) -> portalloc.Environment | None:
        """Makes it, unless that was done or tried before, or is the controller's part."""
        if self._offer is None and self._environment is None and self._error is None:
            try:
                from portalloc_pytest.holding import create_environment

                self._environment = create_environment(self._options)
                self._pid = os.getpid()
            except Exception as error:  # noqa: BLE001 - raised by the fixture
                self._error = error
        return self._environment

    def environment(self) -> portalloc.Environment:
        """For the fixture. Raises what went wrong when it was made."""
        if self._offer is not None and self._environment is None:
            self._environment = _attach(self._offer)
        environment = self.prepare()
        if environment is None:
            assert self._error is not None
            raise self._error
        return environment

    def report_leaks(self, session: pytest.Session) -> None:
        """At the end of the session, when all of its tests, fixtures and workers have ended."""
        lease = self._environment.lease if self._environment and self._is_maker() else None
        if lease is None or lease.released or self._options.leak == "off":
            return
        from portalloc_pytest import leaks

        lease.drop_guard()
        found = leaks.find(lease, ours_too=True)
        try:
            leaks.report(session, found, self._options.leak)
        except (Warning, pytest.fail.Exception):
            # No test is left that could fail, so the run does.
            self._leaks = found
            if session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def summarize(self, terminalreporter: Any) -> None:
        if self._leaks:
            terminalreporter.section("portalloc: ports of run_isolation", red=True, bold=True)
            for leak in self._leaks:
                terminalreporter.write_line(leak)

    def close(self) -> None:
        """Ends it, in the process that made it. Never raises: the run is over."""
        environment, self._environment = self._environment, None
        if environment is None or not self._is_maker():
            return
        try:
            environment.cleanup()
        except Exception as error:  # noqa: BLE001
            sys.stderr.write(f"portalloc: environment {environment.id} was not cleaned up: {error}\n")

    def _is_maker(self) -> bool:
        return self._pid == os.getpid()


def _attach(offer: dict[str, str]) -> portalloc.Environment:
    if "id" not in offer:
        reason = offer.get("error", "the controller does not have the plugin portalloc")
        pytest.fail(f"run_isolation: the controller has made no environment: {reason}", pytrace=False)
    import portalloc

    return portalloc.attach(offer["id"])
