"""Says of a test that failed because an address was in use who is on the port.

Judges whether it was such a failure, and asks about the ports that `clash_ports` suggests; only those that really are
in use or leased are named. Knows nothing of fixtures: the port may be one that portalloc has never seen.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, cast

from portalloc_pytest import clash_ports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

_PHRASE = re.compile(r"address already in use|EADDRINUSE|AddrInUse\b", re.IGNORECASE)
# What a report may cost: a look at a port takes some 0.3 ms.
_MOST_LOOKS = 64
_MOST_EXCEPTIONS = 100
_MOST_OF_OUTPUT = 1_000_000  # characters, from the end


def messages(error: BaseException | None, report: pytest.TestReport) -> list[str]:
    """A sentence for each port in question; none if this was no clash."""
    chain = list(_chain(error))
    texts = [end for text in _texts(chain, report) if _PHRASE.search(end := text[-_MOST_OF_OUTPUT:])]
    if not texts and not any(map(_is_clash, chain)):
        return []
    looks = _Looks()
    for candidates in _candidates(chain, texts):
        found = looks.at(candidates)
        if found:
            return found
    return []


def _is_clash(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def _candidates(chain: list[BaseException], texts: list[str]) -> Iterator[list[int]]:
    """Groups of ports, the surest first."""
    clashes = [one for one in chain if _is_clash(one)]
    yield [port for clash in clashes for port in _ports_attribute(clash)]
    yield [port for clash in clashes for port in clash_ports.in_text(_message(clash))]
    for text in texts:
        yield clash_ports.near(_PHRASE, text)
    # The frames of a clash end where it was caught; whoever has called that is in those of the exceptions after it.
    for one in sorted(chain, key=lambda one: not _is_clash(one)):
        yield from clash_ports.in_frames(one.__traceback__)


class _Looks:
    """Asks about ports, about each one once, and not about too many."""

    def __init__(self) -> None:
        self._known: set[int] = set()

    def at(self, ports: Iterable[int]) -> list[str]:
        new = [port for port in ports if port not in self._known][: _MOST_LOOKS - len(self._known)]
        if not new:
            return []
        import portalloc

        self._known.update(new)
        in_use: list[str] = []
        leased: list[str] = []
        for port in new:
            report = portalloc.who(port)
            if report.in_use:
                in_use.append(report.message)
            elif report.leased:
                leased.append(report.message)
        # An address is in use by a socket. A mere lease is of interest if there is none any more.
        return in_use or leased


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
