"""Servers that are left on the ports of `run_isolation` when the run is over. No test is left then that could fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


class RunLeaks:
    """Found at the end of the session, told in the summary."""

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._failed: list[str] = []

    def look_for(self, ports: Iterable[int], session: pytest.Session) -> None:
        if self._mode == "off":
            return
        from portalloc_pytest import leaks

        found = leaks.find(ports, ours_too=True)
        try:
            leaks.report(session, found, self._mode)
        except (Warning, pytest.fail.Exception):
            # No test is left that could fail, so the run does.
            self._failed = found
            if session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def summarize(self, terminalreporter: Any) -> None:
        if self._failed:
            terminalreporter.section("portalloc: ports of run_isolation", red=True, bold=True)
            for leak in self._failed:
                terminalreporter.write_line(leak)
