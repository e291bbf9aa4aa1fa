"""Adds to the generated stubs what the generator cannot say: a lease is a sequence, whose slices are tuples; an
environment is there unless it was not to be made."""

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


#: What `worktree_environment` returns, by what it is given for `create`.
CREATE = "create: bool = True, "
RESULTS = {"create: Literal[True] = True, ": "Environment", "create: bool, ": "Environment | None"}


def overloaded(text: str) -> str:
    line = next(line for line in text.splitlines() if line.startswith("def worktree_environment("))
    head, result = line.split(" -> ")
    if CREATE not in head or result != "Environment | None:":
        sys.exit(f"this has no overloads: {line}")
    first, last = (f"@overload\n{head.replace(CREATE, given)} -> {result}:" for given, result in RESULTS.items())
    return text.replace(line, f"{first} ...\n{last}")


def main(stubs: Path) -> None:
    text = overloaded(stubs.read_text())
    for old, new in CHANGES.items():
        if text.count(old) != 1:
            sys.exit(f"{stubs}: {old!r} is there {text.count(old)} times, not once")
        text = text.replace(old, new)
    stubs.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
