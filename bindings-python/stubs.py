"""Adds to the generated stubs what the generator cannot say: a lease by a number is a port, by a slice a tuple."""

from __future__ import annotations

import sys
from pathlib import Path

GENERATED = "    def __getitem__(self, index: Any, /) -> Any:\n"
OVERLOADS = """    @overload
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[int, ...]:
"""


def main(stubs: Path) -> None:
    text = stubs.read_text()
    for old, new in ((GENERATED, OVERLOADS), ("SupportsIndex, final\n", "SupportsIndex, final, overload\n")):
        if text.count(old) != 1:
            sys.exit(f"{stubs}: {old!r} is there {text.count(old)} times, not once")
        text = text.replace(old, new)
    stubs.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
