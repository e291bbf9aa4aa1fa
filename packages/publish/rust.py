"""Publishes the crates with cargo, which packages them again: it takes no finished file.

Each must come out as the one in dist/rust, which was tested.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from packages import common
from packages.publish import files

# In the order of their dependencies.
CRATES = ["portalloc", "portalloc-cli"]


def is_published(crate: str) -> bool:
    """As cargo sees it, from outside of the workspace, in which it would see the workspace's own crate."""
    with tempfile.TemporaryDirectory() as elsewhere:
        info = subprocess.run(
            ["cargo", "info", "--quiet", f"{crate}@{common.version()}"],
            cwd=elsewhere,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    if info.returncode != 0 and "could not find" not in info.stderr:
        sys.exit(f"cargo cannot say whether {crate} is published: {info.stderr.strip()}")
    return info.returncode == 0


def main() -> None:
    tested = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files("rust")}
    for crate in CRATES:
        if is_published(crate):
            print(f"{crate} {common.version()} is published already")
            continue
        name = f"{crate}-{common.version()}.crate"
        # Was built once already, by `make dist`.
        common.run("cargo", "package", "--locked", "--no-verify", "-p", crate)
        packaged = Path(os.environ.get("CARGO_TARGET_DIR", common.ROOT / "target"), "package", name).read_bytes()
        if hashlib.sha256(packaged).hexdigest() != tested.get(name):
            sys.exit(f"{name} is not the one in dist/rust; run `make dist` from this commit, with nothing changed")
        common.run("cargo", "publish", "--locked", "--no-verify", "-p", crate)


if __name__ == "__main__":
    main()
