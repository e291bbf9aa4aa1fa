"""`run_isolation` in a run without pytest-xdist: one process makes it, when the first test that needs it starts, and
ends it when the run is over. A forked child does neither.

Nothing is imported or made before it is needed. `shared_run` is the same under pytest-xdist.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from portalloc_pytest.options import OPTIONS, Options
from portalloc_pytest.run_leaks import RunLeaks

if TYPE_CHECKING:
    import portalloc


class RunIsolation:
    """What fixtures and hooks need of it."""

    def __init__(self) -> None:
        self._environment: portalloc.Environment | None = None
        self._error: BaseException | None = None

    def prepare(self) -> None:
        """Makes it, unless that was done or tried before. What goes wrong is for the tests that use it."""
        if self._environment is None and self._error is None:
            try:
                self._environment = self._make()
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - raised by the fixture
                self._error = error

    def environment(self) -> portalloc.Environment:
        """For the fixture. Raises what went wrong when it was made."""
        self.prepare()
        if self._environment is None:
            assert self._error is not None
            raise self._error
        return self._environment

    def _make(self) -> portalloc.Environment:
        raise NotImplementedError


class LoneRun(RunIsolation):
    """Holds the environment, and ends it. Also a plugin, from its first use on."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        self._options = options
        self._leaks = RunLeaks(options.leak)
        self._pid: int | None = None  # who made it

    def _make(self) -> portalloc.Environment:
        from portalloc_pytest.holding import create_environment

        environment = create_environment(self._options)
        self._pid = os.getpid()
        return environment

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # Last, because before it the session's fixtures are torn down.
        lease = self._environment.lease if self._environment and self._is_maker() else None
        if lease is not None and not lease.released:
            lease.drop_guard()  # our own sockets are no leak
            self._leaks.look_for(lease, session)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        self._leaks.summarize(terminalreporter)

    def pytest_unconfigure(self) -> None:
        # Not with the session fixture: a forked child tears that down as well. This here comes after Ctrl-C, too.
        environment, self._environment = self._environment, None
        if environment is None or not self._is_maker():
            return
        try:
            environment.cleanup()
        except Exception as error:  # noqa: BLE001 - the run is over
            not_cleaned_up(error)

    def _is_maker(self) -> bool:
        return self._pid == os.getpid()


_RUN = pytest.StashKey[RunIsolation]()


def run_of(config: pytest.Config) -> RunIsolation:
    """That of this process, made at its first use."""
    if _RUN not in config.stash:
        options = config.stash[OPTIONS]
        workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        if workerinput is not None:
            from portalloc_pytest.shared_run import Worker

            config.stash[_RUN] = Worker(options, workerinput)
        else:
            lone = LoneRun(options)
            config.stash[_RUN] = lone
            config.pluginmanager.register(lone, "portalloc_run")
    return config.stash[_RUN]


def not_cleaned_up(error: Exception) -> None:
    sys.stderr.write(f"portalloc: run_isolation was not cleaned up: {error}\n")
