"""Adds to the generated stubs what the generator cannot say: a lease is a sequence, whose slices are tuples."""

from __future__ import annotations

import sys
from pathlib import Path

CHANGES = {
    "class Lease:\n": "class Lease(Sequence[int]):\n",
    "import Iterable, Iterator\n": "import Iterable, Iterator, Sequence\n",
    "SupportsIndex, final\n": "SupportsIndex, final, overload\n",
    "    def __getitem__(self, index: Any, /) -> Any:\n": """    @overload
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[int, ...]:
""",
}


def main(stubs: Path) -> None:
    text = stubs.read_text()
    for old, new in CHANGES.items():
        if text.count(old) != 1:
            sys.exit(f"{stubs}: {old!r} is there {text.count(old)} times, not once")
        text = text.replace(old, new)
    stubs.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
