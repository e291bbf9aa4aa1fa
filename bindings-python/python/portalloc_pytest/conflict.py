"""Says of a test that failed because an address was in use which process is on the port.

Collects what the failure says; the core finds the ports in it, and names those that really are in use or leased. Knows
nothing of fixtures: the port may be one that portalloc has never seen.

Loads the extension, so it is imported for failed tests only.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

from portalloc._portalloc import explain_candidates, explain_conflict

from portalloc_pytest import conflict_ports, own_sockets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

_MOST_EXCEPTIONS = 100


def messages(error: BaseException | None, report: pytest.TestReport) -> list[str]:
    """A sentence for each port in question; none if this was no port conflict."""
    chain = list(_chain(error))
    conflicts = [one for one in chain if isinstance(one, OSError) and one.errno == errno.EADDRINUSE]
    found = explain_conflict(
        named=[port for one in conflicts for port in _ports_attribute(one)],
        conflicts=map(_message, conflicts),
        texts=_texts(chain, report),
    )
    if found is None or found:
        return [_sentence(*one) for one in found or ()]
    # The frames of a conflict end where it was caught; its callers are in those of the exceptions after it.
    chain.sort(key=lambda one: one not in conflicts)
    groups = (group for one in chain for group in conflict_ports.in_frames(one.__traceback__))
    return [_sentence(*one) for one in explain_candidates(groups)]


def _sentence(message: str, port: int, is_ours: bool) -> str:
    return message + own_sockets.describe(port) if is_ours else message


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, its causes and contexts, and those in exception groups (also of the backport for Python 3.10)."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < _MOST_EXCEPTIONS:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        members = getattr(one, "exceptions", None)
        if isinstance(members, (tuple, list)):
            items = cast("Iterable[object]", members)
            waiting.extend(item for item in items if isinstance(item, BaseException))
        waiting.extend((one.__cause__, one.__context__))


def _texts(chain: list[BaseException], report: pytest.TestReport) -> Iterator[str]:
    for one in chain:
        yield _message(one)
        # What a failed subprocess has written, if it was captured by `subprocess`.
        for name in ("stderr", "output"):
            output = getattr(one, name, None)
            if isinstance(output, bytes):
                output = output.decode(errors="replace")
            if isinstance(output, str):
                yield output
    if not hasattr(report.longrepr, "reprtraceback"):
        yield str(report.longrepr)  # the test is no function, or failed without a traceback
    for title, content in report.sections:
        # The report of the teardown repeats the output of the call, which was already read.
        if report.when != "teardown" or "teardown" in title:
            yield content


def _message(error: BaseException) -> str:
    try:
        return "\n".join([str(error), *getattr(error, "__notes__", ())])
    except Exception:  # noqa: BLE001 - an exception that cannot be printed, for whatever reason
        return ""


def _ports_attribute(error: BaseException) -> list[int]:
    """portalloc's own errors know their ports, and so may others."""
    ports: object = getattr(error, "ports", ())
    items = cast("Iterable[object]", ports) if isinstance(ports, tuple) else ()
    return [port for port in items if isinstance(port, int) and 0 < port < 65536]
