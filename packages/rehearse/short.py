"""Builds what the short form of the rehearsal installs: the packages of this machine, into a dist/ of their own.

Wheel, addon and library are those that the tests have used; the command is the static one that is published.
"""

from __future__ import annotations

import os
import shutil
import sys

from packages.common import DIST, ROOT, platforms, run
from packages.python import build as python


def main() -> None:
    if "PORTALLOC_DIST" not in os.environ:
        sys.exit("PORTALLOC_DIST must name a directory that this may replace; `make rehearse-short` does")
    shutil.rmtree(DIST, ignore_errors=True)
    shutil.copytree(ROOT / "target/wheels", DIST / "python")
    python.without_compiler()
    here = [platform for platform in platforms() if platform.is_here]
    static = next(platform for platform in here if platform.is_musl)
    dynamic = next(platform for platform in here if not platform.is_musl)
    module("packages.npm.local", str(DIST / "npm"))
    module("packages.go.build", "--platform", dynamic.name, PORTALLOC_NATIVE="1")
    module("packages.command.build", "--platform", static.name)


def module(name: str, *arguments: str, **env: str) -> None:
    run(sys.executable, "-m", name, *arguments, env=env)


if __name__ == "__main__":
    main()
