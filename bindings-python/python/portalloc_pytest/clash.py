"""Says of a test that failed because an address was in use who is on the port.

Collects what the failure has to say, and asks about the ports that the core and `clash_ports` suggest; only those that
really are in use or leased are named. Knows nothing of fixtures: the port may be one that portalloc has never seen.

Loads the extension, so it is imported for failed tests only.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

from portalloc._portalloc import clash_in, culprits, ports_in

from portalloc_pytest import clash_ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

# What a report may cost: a look at a port takes some 0.3 ms.
_MOST_LOOKS = 64
_MOST_EXCEPTIONS = 100


def messages(error: BaseException | None, report: pytest.TestReport) -> list[str]:
    """A sentence for each port in question; none if this was no clash."""
    chain = list(_chain(error))
    told = [groups for text in _texts(chain, report) if (groups := clash_in(text)) is not None]
    if not told and not any(map(_is_clash, chain)):
        return []
    looks = _Looks()
    for candidates in _candidates(chain, told):
        found = looks.at(candidates)
        if found:
            return found
    return []


def _is_clash(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def _candidates(chain: list[BaseException], told: list[list[list[int]]]) -> Iterator[list[int]]:
    """Groups of ports, the surest first. `told` are those of each text that tells of a clash."""
    clashes = [one for one in chain if _is_clash(one)]
    yield [port for clash in clashes for port in _ports_attribute(clash)]
    yield [port for clash in clashes for port in ports_in(_message(clash))]
    for groups in zip(*told, strict=True):
        yield from groups
    # The frames of a clash end where it was caught; whoever has called that is in those of the exceptions after it.
    for one in sorted(chain, key=lambda one: not _is_clash(one)):
        yield from clash_ports.in_frames(one.__traceback__)


class _Looks:
    """Asks about ports, about each one once, and not about too many."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def at(self, ports: Iterable[int]) -> list[str]:
        new = [port for port in dict.fromkeys(ports) if port not in self._known][: _MOST_LOOKS - len(self._known)]
        self._known.update(new)
        return [report.message for report in culprits(new)] if new else []


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
        yield str(report.longrepr)  # of a test that is no function, or failed without a traceback
    for title, content in report.sections:
        # At teardown the output of the call is there once more, and was already read.
        if report.when != "teardown" or "teardown" in title:
            yield content


def _message(error: BaseException) -> str:
    try:
        return "\n".join([str(error), *getattr(error, "__notes__", ())])
    except Exception:  # noqa: BLE001 - somebody's exception that cannot be printed, for whatever reason
        return ""


def _ports_attribute(error: BaseException) -> list[int]:
    """portalloc's own errors know their ports."""
    ports: object = getattr(error, "ports", ())
    items = cast("Iterable[object]", ports) if isinstance(ports, tuple) else ()
    return [port for port in items if isinstance(port, int)]
