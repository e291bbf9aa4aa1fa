"""What an ecosystem's stranger is made of: cases, what each needs, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from packages.rehearse.stranger import Stranger


class NotTriedError(Exception):
    """A case that this machine cannot run. The table says so, with the reason."""


class FailedError(Exception):
    """A case that did not end as its page says. The message says what was seen."""


@dataclass(frozen=True)
class Runtime:
    """A language's runtime, which a room gets read-only."""

    name: str
    source: Path  # on this machine
    place: str  # in the room, and the same for whoever types commands without a chroot
    path: tuple[str, ...] = ("bin",)  # below `place`, for PATH
    missing: str | None = None  # why this machine has none, and its cases are not tried


@dataclass(frozen=True)
class Room:
    """What a chroot has: Debian's smallest system, these packages of Debian, and these runtimes."""

    debian: tuple[str, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    # The compilers that this case is about. A room that has another one fails.
    compilers: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return ", ".join(["Debian bookworm, minbase", *self.debian, *(runtime.name for runtime in self.runtimes)])


@dataclass(frozen=True)
class Case:
    """One stranger's way from an empty directory to the first green example, by one client."""

    name: str
    page: str  # which has the commands, named as seen from the root: "docs/python.md"
    room: Room
    act: Callable[[Stranger], None]
    # Also part of the short form, which needs no chroot: it has the tools of this machine.
    short: bool = False


@dataclass(frozen=True)
class Shelf:
    """Public packages that strangers need beside ours, put on local registries before the network is taken away.

    Those of npm are not named: the registry fetches what it is asked for.
    """

    # Requirements, resolved together: ("pytest==8.*", "pytest-xdist"), once for each version of Python.
    pypi: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    # Modules for `go mod download`: "github.com/ebitengine/purego@v0.9.0".
    go: tuple[str, ...] = ()
    # Directories that have a Cargo.lock, whose packages the crates registry gets.
    crates: tuple[Path, ...] = ()

    def __add__(self, other: Shelf) -> Shelf:
        versions = {**self.pypi, **other.pypi}
        return Shelf(
            pypi={version: self.pypi.get(version, ()) + other.pypi.get(version, ()) for version in versions},
            go=self.go + other.go,
            crates=self.crates + other.crates,
        )
