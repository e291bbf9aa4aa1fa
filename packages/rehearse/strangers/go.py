"""From Go's module proxy: with cgo and a C compiler, with the race detector, and with neither."""

from __future__ import annotations

import platform as machine
from typing import TYPE_CHECKING

from packages.common import DIST, ROOT
from packages.rehearse.case import Case, Room, Shelf
from packages.rehearse.runtimes import go

if TYPE_CHECKING:
    from packages.rehearse.stranger import Stranger

PAGE = "docs/go.md"
GET = "go get github.com/portalloc/portalloc/go"
# Seconds for a test: in a new home, Go first compiles its own library.
COLD = 400
# Whether tests are built with cgo.
HOW = "go test -c -o tests . && go version -m tests"


def shelf(_: bool) -> Shelf:
    manifest = (ROOT / "go/go.mod").read_text()
    needed = [line.removeprefix("require ").split() for line in manifest.splitlines() if "ebitengine/purego" in line]
    return Shelf(go=tuple(f"{module}@{version}" for module, version, *_ in needed))


def cases(short: bool) -> list[Case]:
    compiler = Room(("gcc", "libc6-dev"), (go(),), frozenset({"go", "gcc", "cc"}))
    nothing = Room((), (go(),), frozenset({"go"}))
    if short:
        # One home for both, because Go compiles its own library for each new one.
        return [Case("go test, with and without cgo", PAGE, compiler, both_ways, short=True)]
    return [
        Case("go test, with cgo", PAGE, compiler, with_cgo),
        Case("go test -race", PAGE, compiler, with_the_race_detector),
        Case("CGO_ENABLED=0 go test", PAGE, nothing, without_cgo),
        # What Go does by itself where there is no C compiler, and the other C library.
        Case("go test, no C compiler", PAGE, nothing, without_a_compiler),
        Case("CGO_ENABLED=0 go test, musl", PAGE, Room(("musl",), (go(),), frozenset({"go"})), on_musl),
    ]


def begins(stranger: Stranger) -> None:
    stranger.does("go mod init example.org/server")
    stranger.installs(GET)
    # All that the proxy has of us; a directory cannot tell what was read.
    stranger.used |= {str(path.relative_to(DIST)) for path in DIST.glob("go/**/*") if path.is_file()}
    # The page leaves the package out of its tests, since every reader has another.
    stranger.writes("server_test.go", "package server\n\n" + stranger.page.example("go"))


def with_cgo(stranger: Stranger) -> None:
    # What the go command counts for itself.
    with stranger.leaving_nothing(but=(".config/go/",)):
        begins(stranger)
        passes(stranger, stranger.types("go test ./...", limit=COLD))
        stranger.expects("CGO_ENABLED=1", stranger.does(HOW))
        stranger.does(f"rm server_test.go tests && {GET}@none && go mod tidy")
        stranger.does("! grep portalloc go.mod go.sum && rm -f go.mod go.sum && go clean -modcache")


def both_ways(stranger: Stranger) -> None:
    with_cgo(stranger)
    without_cgo(stranger)


def with_the_race_detector(stranger: Stranger) -> None:
    begins(stranger)
    passes(stranger, stranger.types("go test -race ./...", limit=COLD))


def without_cgo(stranger: Stranger) -> None:
    begins(stranger)
    passes(stranger, stranger.types("CGO_ENABLED=0 go test ./...", limit=COLD))


def without_a_compiler(stranger: Stranger) -> None:
    begins(stranger)
    passes(stranger, stranger.types("go test ./...", limit=COLD))
    stranger.expects("CGO_ENABLED=0", stranger.does(HOW))


def on_musl(stranger: Stranger) -> None:
    begins(stranger)
    loader = f"/lib/ld-musl-{machine.machine()}.so.1"
    passes(stranger, stranger.does(f"CGO_ENABLED=0 go test -ldflags '-I {loader}' ./...", limit=COLD))


def passes(stranger: Stranger, output: str) -> None:
    stranger.expects("ok  \texample.org/server", output)
