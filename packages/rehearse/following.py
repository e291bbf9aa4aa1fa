"""The version after this one, built from a copy of the sources: what upgrades install.

Only this machine's wheel and command; nobody has changed anything but the version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

from packages.common import ROOT, TOOLS, platforms, run, version

if TYPE_CHECKING:
    from pathlib import Path

PLACE = ROOT / "target/rehearse/following"
TREE = PLACE / "tree"
DIST = TREE / "dist"
BUILT = PLACE / "built.json"


def following() -> str:
    major, minor, patch = version().split(".")
    return f"{major}.{minor}.{int(patch) + 1}"


def build() -> None:
    """Builds it unless that was done from these very sources. Needs cargo's registry, as every build does."""
    sources = digest()
    if BUILT.exists() and json.loads(BUILT.read_text()) == sources:
        return
    BUILT.unlink(missing_ok=True)
    shutil.rmtree(TREE, ignore_errors=True)
    copy()
    run("python3", "-m", "packages.version", following(), cwd=TREE)
    python = TOOLS / "python"
    # The caller's directories are for this version: what is built in them must not be taken for it.
    env = {"PORTALLOC_DIST": str(DIST), "CARGO_TARGET_DIR": str(PLACE / "target")}
    here = [platform for platform in platforms() if platform.is_here]
    for platform in here:
        ecosystem = "command" if platform.is_musl else "python"
        run(python, "-m", f"packages.{ecosystem}.build", "--platform", platform.name, cwd=TREE, env=env)
    BUILT.write_text(json.dumps(sources))


def copy() -> None:
    for path in tracked():
        target = TREE / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        # With its time, by which cargo knows what it has built before.
        shutil.copy2(path, target, follow_symlinks=False)
    # What builds asks git for the files; those of the copy lie where the repository ignores them.
    run("git", "init", "--quiet", cwd=TREE)
    run("git", "add", "--all", cwd=TREE)
    identity = ("-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost")
    run("git", *identity, "commit", "--quiet", "--message", "A copy", cwd=TREE)
    # The tools that build packages are those of this repository.
    (TREE / "target").symlink_to(ROOT / "target")


def tracked() -> list[Path]:
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    return sorted(path for name in names if name and ((path := ROOT / name).is_file() or path.is_symlink()))


def digest() -> str:
    found = hashlib.sha256()
    for path in tracked():
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        found.update(f"{path} {len(content)}\n".encode() + content)
    return found.hexdigest()
