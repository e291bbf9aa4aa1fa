"""What the report of a failed test is told beside its traceback: who has the port, and where the files are.

Runs for failed tests only. A report must not fail by it: whatever goes wrong in here becomes a line of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_TITLE = "portalloc"


def explain(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    lines = [*_attempt(lambda: _clash(call, report)), *_attempt(lambda: _files(item, report))]
    if lines:
        _add_section(report, "\n".join(lines))


def _attempt(work: Callable[[], list[str]]) -> list[str]:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - no report may fail by us
        return [f"portalloc has nothing to say to this, because of {type(error).__name__}: {error}"]


def _clash(call: pytest.CallInfo[Any], report: pytest.TestReport) -> list[str]:
    from portalloc_pytest.clash import messages

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
    # Of a test that failed elsewhere than in its call, pytest does not keep `tmp_path` under every policy.
    if report.when != "call" or item.config.getini("tmp_path_retention_policy") == "none":
        return []
    return [f"files of environment {identifier}: {place}" for identifier, place in holder.kept_files()]


def _add_section(report: pytest.TestReport, text: str) -> None:
    # Below the traceback, where it is also part of JUnit's XML and of what IDEs show, and where --show-capture=no
    # leaves it. Some failures are but a text; those have only the report's own sections.
    add_section = getattr(report.longrepr, "addsection", None)
    if add_section is None:
        report.sections.append((_TITLE, text))
    else:
        add_section(_TITLE, text, "-")
