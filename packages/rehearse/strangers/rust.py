"""From crates.io: cargo add, cargo install, cargo binstall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages.common import ROOT, platforms, version
from packages.rehearse import binstall
from packages.rehearse.case import Case, Room, Shelf
from packages.rehearse.public import ADDRESS, HOSTS, public
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
    # Where nothing can be linked, nothing was compiled.
    without_linker = Room((), (rust(), binstall.runtime()), frozenset({"rustc", "cargo"}))
    return [
        Case("cargo add", LIBRARY, room, add),
        Case("cargo install", COMMAND, room, install),
        Case("cargo binstall", COMMAND, without_linker, by_binstall),
    ]


def prepare() -> None:
    binstall.build()


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
    # cargo's list of what is installed, which is empty then.
    with stranger.leaving_nothing(but=(".cargo/.", ".cargo/registry")):
        stranger.installs("cargo install portalloc-cli", limit=1800)
        runs_by_its_name(stranger)
        stranger.runs(0)
        stranger.runs(1)
        stranger.does("cargo uninstall portalloc-cli")


def by_binstall(stranger: Stranger) -> None:
    """By what the published crate says of its archives, at the names that these have for everybody."""
    stranger.does(f"echo '{ADDRESS} {' '.join(HOSTS)}' >> /etc/hosts", root=True)
    stranger.env |= {
        "BINSTALL_HTTPS_ROOT_CERTS": f"{stranger.ground.home_inside}/project/authority.pem",
        "BINSTALL_NO_CONFIRM": "true",
        # Neither somebody else's builds, nor a compiler.
        "BINSTALL_STRATEGIES": "crate-meta-data",
        "BINSTALL_DISABLE_TELEMETRY": "true",
    }
    static = next(platform.rust for platform in platforms() if platform.is_here and platform.is_musl)
    archive = f"portalloc-{version()}-{static}"
    with public(stranger.env) as certificate:
        stranger.writes("authority.pem", certificate)
        # The lists that both keep of what is installed, and the settings of the latter.
        with stranger.leaving_nothing(but=(".cargo/.", ".cargo/binstall")):
            said = stranger.installs("cargo binstall portalloc-cli")
            stranger.expects(f"v{version()} ({static}) has been downloaded from github.com", said)
            runs_by_its_name(stranger)
            stranger.does(f"tar -xzOf /dist/command/{archive}.tar.gz {archive}/portalloc | cmp - $(which portalloc)")
            stranger.does("cargo uninstall portalloc-cli")


def runs_by_its_name(stranger: Stranger) -> None:
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/.cargo/bin")
    stranger.expects(f"portalloc {version()}", stranger.does("portalloc version"))
