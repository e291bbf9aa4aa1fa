"""From crates.io: cargo add, cargo install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages.common import ROOT, version
from packages.rehearse.case import Case, NotTriedError, Room, Shelf
from packages.rehearse.runtimes import rust

if TYPE_CHECKING:
    from packages.rehearse.stranger import Stranger

LIBRARY = "core/README.md"
COMMAND = "cli/README.md"


def shelf(short: bool) -> Shelf:
    return Shelf() if short else Shelf(crates=(ROOT,))


def cases(short: bool) -> list[Case]:
    if short:
        return []
    room = Room(("gcc", "libc6-dev"), (rust(),), frozenset({"cc", "gcc", "rustc", "cargo"}))
    return [
        Case("cargo add", LIBRARY, room, add),
        Case("cargo install", COMMAND, room, install),
        Case("cargo binstall", COMMAND, room, binstall),
    ]


def knows_the_registry(stranger: Stranger) -> None:
    where = stranger.env["PORTALLOC_REHEARSAL_CRATES"]
    settings = f'[source.crates-io]\nreplace-with = "rehearsal"\n[source.rehearsal]\nregistry = "{where}"\n'
    # Not in the project: `cargo install` reads no other file than this one.
    stranger.does(f"mkdir ~/.cargo && echo '{settings}' > ~/.cargo/config.toml")


def add(stranger: Stranger) -> None:
    knows_the_registry(stranger)
    stranger.does("cargo init --lib --vcs none --name mine")
    stranger.types("cargo add --dev portalloc")
    stranger.copies_example("tests/server.rs", "rust,test_harness")
    stranger.expects("test serves ... ok", stranger.types("cargo test", limit=900))


def install(stranger: Stranger) -> None:
    knows_the_registry(stranger)
    before = stranger.files()
    stranger.installs("cargo install portalloc-cli", limit=1800)
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/.cargo/bin")
    stranger.expects(f"portalloc {version()}", stranger.does("portalloc version"))
    stranger.runs(0)
    stranger.runs(1)
    stranger.does("cargo uninstall portalloc-cli")
    # cargo's list of what is installed, which is empty then.
    stranger.nothing_is_left_of(before, but=(".cargo/.", ".cargo/registry"))


def binstall(_: Stranger) -> None:
    raise NotTriedError(
        "cargo-binstall comes from GitHub, or as source whose 350 crates take longer to build than all else here; "
        "packages/command/test_command.py compares its addresses with the archives"
    )
