"""What portalloc adds to the report of a failed test: who has the port, and where the files are.

Runs for failed tests only. It must not make a report fail: an error in here becomes a line of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_TITLE = "portalloc"


def explain(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    lines = [*_attempt(lambda: _conflict(call, report)), *_attempt(lambda: _files(item, report))]
    if lines:
        _add_section(report, "\n".join(lines))


def _attempt(work: Callable[[], list[str]]) -> list[str]:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - a report must not fail because of us
        return [f"portalloc could not explain this failure: {type(error).__name__}: {error}"]


def _conflict(call: pytest.CallInfo[Any], report: pytest.TestReport) -> list[str]:
    from portalloc_pytest.conflict import messages

    return messages(getattr(call.excinfo, "value", None), report)


def _files(item: pytest.Item, report: pytest.TestReport) -> list[str]:
    import sys

    if "portalloc_pytest.holding" not in sys.modules:
        return []  # no fixture was used
    from portalloc_pytest.holding import HOLDER

    holder = item.stash.get(HOLDER, None)
    if holder is None:
        return []
    holder.failed = True
    # If a test fails in its setup or teardown, some retention policies do not keep its `tmp_path`.
    if report.when != "call" or item.config.getini("tmp_path_retention_policy") == "none":
        return []
    return [f"files of environment {identifier}: {place}" for identifier, place in holder.kept_files()]


def _add_section(report: pytest.TestReport, text: str) -> None:
    # Below the traceback, where it is also part of JUnit's XML and of what IDEs show, and where --show-capture=no
    # leaves it. Failures that are mere text have only the report's own sections.
    add_section = getattr(report.longrepr, "addsection", None)
    if add_section is None:
        report.sections.append((_TITLE, text))
    else:
        add_section(_TITLE, text, "-")
