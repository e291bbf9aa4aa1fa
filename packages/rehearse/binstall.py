"""cargo-binstall, from source: its own releases are on GitHub, and the registries have no binary of it."""

from __future__ import annotations

from contextlib import suppress

from packages.common import ROOT, platforms, run
from packages.rehearse.case import Runtime

# 1.24 needs Rust 1.96.
VERSION = "1.19.1"
PLACE = ROOT / f"target/rehearse/tools/cargo-binstall-{VERSION}"
PROGRAM = PLACE / "bin/cargo-binstall"


def build() -> None:
    """Builds it once, from some 300 crates. Needs the network.

    It is static, as its releases are. It lacks what installing from crates.io does not use, and optimizations.
    """
    if PROGRAM.exists():
        return
    target = next(platform.rust for platform in platforms() if platform.is_here and platform.is_musl)
    which = ("cargo-binstall", "--locked", "--version", VERSION)
    how = ("--debug", "--no-default-features", "--features", "static,rustls,fancy-no-backtrace")
    with suppress(SystemExit):
        run("rustup", "target", "add", target)
        where = ("--target", target, "--root", PLACE)
        run("cargo-zigbuild", "install", *which, *how, *where, env={"CARGO_PROFILE_DEV_DEBUG": "0"})


def runtime() -> Runtime:
    """What `build` has built."""
    missing = None if PROGRAM.exists() else f"cargo-binstall {VERSION} could not be built; cargo has said why"
    return Runtime(f"cargo-binstall {VERSION}", PLACE, "/opt/cargo-binstall", missing=missing)
