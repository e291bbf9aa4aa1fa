"""Guesses which port a failure is about, from the source lines and the variables of a traceback.

Pure: it only suggests ports. It may suggest too many, since the core checks every port before it names one.
"""

from __future__ import annotations

import linecache
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from portalloc._portalloc import ports_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from socket import socket
    from types import FrameType, TracebackType

_NUMBER = re.compile(r"(?<![\w.])\d{2,5}(?![\w.])")
_MOST_ITEMS = 20
_MOST_ATTRIBUTES = 200
_ADDRESS_NAMES = ("addr", "sockname", "bind", "host", "endpoint", "listen")


def in_frames(traceback: TracebackType | None) -> Iterator[list[int]]:
    """For each frame, the innermost first: the ports in its variables and in the line that failed."""
    frames: list[tuple[FrameType, int]] = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    for frame, line in reversed(frames):
        yield _ports(_in_frame(frame, line))


def _in_frame(frame: FrameType, line: int) -> Iterator[int]:
    source = linecache.getline(frame.f_code.co_filename, line, frame.f_globals)
    yield from (int(number) for number in _NUMBER.findall(source))
    for name, value in list(frame.f_locals.items()):
        yield from _in_variable(name, value)
        yield from _in_object(value)
    for name in frame.f_code.co_names:
        if name in frame.f_globals:
            yield from _in_variable(name, frame.f_globals[name])


def _in_variable(name: str, value: object) -> Iterator[int]:
    # By `type`, not by `isinstance`, which asks the object for its `__class__`: a proxy may raise at that.
    kind = type(value)
    lower = name.lower()
    if issubclass(kind, (list, tuple)):
        items = cast("Sequence[object]", value)[:_MOST_ITEMS]
        if kind is not list and 2 <= len(items) <= 4 and type(items[0]) is str and type(items[1]) is int:
            yield items[1]  # an address
        elif "port" in lower:
            yield from (item for item in items if type(item) is int)
    elif kind is int and "port" in lower:
        yield cast("int", value)
    elif kind is str and ("port" in lower or any(part in lower for part in _ADDRESS_NAMES)):
        text = cast("str", value)
        yield from (int(text),) if text.isdecimal() and len(text) <= 5 else ports_in(text)


def _in_object(value: object) -> Iterator[int]:
    """What an object keeps in its own dictionary; no property is called. For a socket also where it is bound."""
    attributes: object = value
    kind = type(value)
    if kind is not dict and not issubclass(kind, type):
        try:
            attributes = getattr(value, "__dict__", None)
        except Exception:  # noqa: BLE001 - a proxy may raise what it likes
            return
    if type(attributes) is dict:
        for name, attribute in list(cast("dict[object, object]", attributes).items())[:_MOST_ATTRIBUTES]:
            if type(name) is str:
                yield from _in_variable(name, attribute)
    sockets = sys.modules.get("socket")
    if sockets is not None and issubclass(kind, sockets.socket):
        with suppress(OSError):  # closed
            yield from _in_variable("sockname", cast("socket", value).getsockname())


def _ports(numbers: Iterable[int]) -> list[int]:
    """Those that can be ports, each once, in order."""
    return list(dict.fromkeys(number for number in numbers if 0 < number < 65536))
