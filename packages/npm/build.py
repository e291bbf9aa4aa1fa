"""Builds the npm packages into dist/npm: `portalloc`, and one for each platform."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from packages import common
from packages.common import DIST, Platform
from packages.npm.packing import pack_main, pack_platform

if TYPE_CHECKING:
    from pathlib import Path


def build(platform: Platform) -> tuple[Path, Path]:
    """The addon and the command for a platform."""
    if not platform.is_musl:
        built = common.cargo(platform, "-p", "portalloc-node", "-p", "portalloc-cli")
        return built / "libportalloc_node.so", built / "portalloc"
    # The command is static, as Rust links for musl unless told otherwise. No addon can be: Node loads it.
    program = common.cargo(platform, "-p", "portalloc-cli") / "portalloc"
    addon = common.cargo(platform, "-p", "portalloc-node", env={"RUSTFLAGS": "-C target-feature=-crt-static"})
    return addon / "libportalloc_node.so", program


def main() -> None:
    chosen = common.chosen(__doc__)
    shutil.rmtree(DIST / "npm", ignore_errors=True)
    made = [pack_main(DIST / "npm")]
    for platform in chosen:
        made.append(pack_platform(platform, *build(platform), DIST / "npm"))
    for file in made:
        print(f"{file.relative_to(DIST)}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
