"""Publishes the crates with cargo, which packages them again: it takes no finished file.

Each must come out as the one in dist/rust, which was tested.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from packages import common
from packages.publish import files

# In the order of their dependencies.
CRATES = ("portalloc", "portalloc-cli")


def publish(crates: list[Path], registry: tuple[str, ...] = (), env: dict[str, str] | None = None) -> None:
    """`registry` has cargo's options for another registry than crates.io."""
    tested = {path.name: path.read_bytes() for path in crates}
    for crate in CRATES:
        if is_published(crate, registry, env):
            print(f"{crate} {common.version()} is published already")
            continue
        name = f"{crate}-{common.version()}.crate"
        # `make dist` has built it once already.
        options = ("--locked", "--no-verify", "-p", crate, *registry)
        # What has changed would show in the comparison.
        common.run("cargo", "package", "--allow-dirty", *options, env=env)
        packaged = Path(os.environ.get("CARGO_TARGET_DIR", common.ROOT / "target"), "package", name).read_bytes()
        if packaged != tested.get(name):
            sys.exit(f"{name} is not the one in dist/rust; run `make dist` from this commit, with nothing changed")
        common.run("cargo", "publish", "--allow-dirty", *options, env=env)


def is_published(crate: str, registry: tuple[str, ...], env: dict[str, str] | None) -> bool:
    """As cargo sees it, from outside of the workspace, in which it would see the workspace's own crate."""
    words = ["cargo", "info", "--quiet", f"{crate}@{common.version()}", *registry]
    everything = {**os.environ, **(env or {})}
    with tempfile.TemporaryDirectory() as elsewhere:
        info = subprocess.run(words, cwd=elsewhere, env=everything, capture_output=True, text=True)
    if info.returncode != 0 and "could not find" not in info.stderr:
        sys.exit(f"cargo cannot say whether {crate} is published: {info.stderr.strip()}")
    return info.returncode == 0


if __name__ == "__main__":
    publish(files("rust"))
