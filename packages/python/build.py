"""Builds what PyPI gets into dist/python: the wheels and the sdist of portalloc, and pytest-portalloc."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from packages import common
from packages.common import DIST, ROOT, TOOLS, Platform, run
from packages.python import check, sdist

OUT = DIST / "python"
PLUGIN = ROOT / "packages/python/pytest-portalloc"


def main() -> None:
    platforms = common.chosen(__doc__)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    without_compiler()
    for platform in platforms:
        check.wheel(wheel(platform), platform)
    # PyPI refuses, or does not render, what this finds.
    run("twine", "check", "--strict", *sorted(OUT.iterdir()))


def without_compiler() -> None:
    """What is the same for all platforms, and takes seconds."""
    sdist.build(OUT)
    check.pytest_portalloc(pytest_portalloc())


def wheel(platform: Platform) -> Path:
    """One for all versions of CPython, by its stable ABI. maturin checks that it needs nothing but the C library."""
    run("rustup", "target", "add", platform.rust)
    # The policy without the architecture, as maturin takes it: manylinux_2_17, musllinux_1_2.
    policy = platform.wheel.removesuffix(f"_{platform.architecture}")
    command = ("maturin", "build", "--release", "--locked", "--zig", "--target", platform.rust)
    run(*command, "--compatibility", policy, "--auditwheel", "check", "--out", OUT, env=common.without_home({}))
    (built,) = OUT.glob(f"portalloc-*{platform.wheel}.whl")
    return built


def pytest_portalloc() -> Path:
    """Its sdist and wheel, with this repository's licences in them; returns the wheel."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, PLUGIN.name)
        shutil.copytree(PLUGIN, tree)
        for licence in ROOT.glob("LICENSE-*"):
            shutil.copy(licence, tree)
        # Not in an environment of its own: packages/requirements.txt pins what builds it.
        run(TOOLS / "python", "-m", "build", "--no-isolation", "--outdir", OUT, tree)
    (built,) = OUT.glob(f"pytest_portalloc-{common.version()}-*.whl")
    return built


if __name__ == "__main__":
    main()
