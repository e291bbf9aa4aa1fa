"""The source distribution of portalloc, with a lock file that fits what is in it.

maturin leaves the crates of tests and benchmarks out of the workspace, but copies Cargo.lock as it is, and cargo then
refuses `--locked`: https://github.com/PyO3/maturin/issues/2609. So this module makes a source distribution, lets cargo
remove from the lock file in its tree what no crate there needs, and packs that tree with maturin once more.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from packages.common import ROOT, run


def build(out: Path) -> Path:
    """Writes the source distribution into `out` and returns its path."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = unpacked(_pack(ROOT, Path(scratch, "first")), Path(scratch))
        # Without `--locked`, cargo removes what no member needs any more.
        run("cargo", "metadata", "--offline", "--format-version=1", cwd=tree, stdout=subprocess.DEVNULL)
        changed = _pins(tree) - _pins(ROOT)
        if changed:
            sys.exit(f"the lock file of the source distribution has what Cargo.lock has not: {sorted(changed)}")
        sdist = _pack(tree, out)
    check(sdist)
    return sdist


def check(sdist: Path) -> None:
    """Ends this process if the lock file is not the one that cargo would write for this workspace."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = unpacked(sdist, Path(scratch))
        command = ("cargo", "metadata", "--locked", "--offline", "--format-version=1")
        run(*command, cwd=tree, stdout=subprocess.DEVNULL)


def unpacked(sdist: Path, into: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(into, filter="data")
    return into / sdist.name.removesuffix(".tar.gz")


def _pack(tree: Path, out: Path) -> Path:
    run("maturin", "sdist", "--out", out, cwd=tree)
    (sdist,) = out.glob("portalloc-*.tar.gz")
    return sdist


def _pins(tree: Path) -> set[tuple[str, str, str, str]]:
    """Name, version, origin and checksum of each crate that the lock file of this tree has."""
    crates = tomllib.loads((tree / "Cargo.lock").read_text())["package"]
    return {(crate["name"], crate["version"], crate.get("source", ""), crate.get("checksum", "")) for crate in crates}
