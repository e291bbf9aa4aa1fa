"""Fills the shelf with public packages while the network is there. Those of npm come when a client asks for them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packages.common import ROOT, run
from packages.rehearse.crates import fill
from packages.rehearse.registries import VERDACCIO
from packages.rehearse.runtimes import python

if TYPE_CHECKING:
    from packages.rehearse.case import Shelf

SHELF = ROOT / "target/rehearse/shelf"


def install_verdaccio() -> None:
    manifest = ROOT / "packages/rehearse/verdaccio/package.json"
    installed = VERDACCIO / "package.json"
    if installed.exists() and installed.read_bytes() == manifest.read_bytes():
        return
    shutil.rmtree(VERDACCIO, ignore_errors=True)
    VERDACCIO.mkdir(parents=True)
    shutil.copy(manifest, VERDACCIO / "install.json")
    (VERDACCIO / "install.json").rename(installed)
    try:
        run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error", cwd=VERDACCIO)
    except SystemExit:
        installed.unlink()
        raise


def stock(shelf: Shelf) -> Path:
    """Puts on the shelf what is not there yet. What is there stays: a list of what was asked for tells."""
    SHELF.mkdir(parents=True, exist_ok=True)
    stocked = SHELF / "stocked.json"
    done: set[str] = set(json.loads(stocked.read_text())) if stocked.exists() else set()
    for version, requirements in shelf.pypi.items():
        for requirement in requirements:
            if (mark := f"pypi {version} {' '.join(requirement)}") not in done:
                pypi(version, requirement)
                done.add(mark)
    modules = [module for module in shelf.go if f"go {module}" not in done]
    if modules:
        go(modules)
        done |= {f"go {module}" for module in modules}
    for directory in shelf.crates:
        digest = (directory / "Cargo.lock").read_text()
        if (mark := f"crates {directory} {hash_of(digest)}") not in done:
            crates(directory)
            done.add(mark)
    stocked.write_text(json.dumps(sorted(done), indent=1))
    return SHELF


def pypi(version: str, requirements: tuple[str, ...]) -> None:
    """By the Python that installs it later: pip takes the conditions of dependencies from the Python that runs it."""
    if version == ".".join(map(str, sys.version_info[:2])):
        interpreter = Path(sys.executable)
    elif python(version).missing:
        return
    else:
        interpreter = python(version).source / "bin/python3"
    options = ("--only-binary=:all:", "--quiet", "--disable-pip-version-check")
    run(interpreter, "-m", "pip", "download", *options, "--dest", SHELF / "pypi", *requirements)


def go(modules: list[str]) -> None:
    """go's own cache of downloads is a module proxy."""
    with tempfile.TemporaryDirectory() as place:
        cache = Path(place, "cache")
        env = {"GOMODCACHE": str(cache), "GOFLAGS": "-modcacherw"}
        run("go", "mod", "download", *modules, cwd=place, env=env)
        shutil.copytree(cache / "cache/download", SHELF / "go", dirs_exist_ok=True)


def crates(directory: Path) -> None:
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    run("cargo", "fetch", "--locked", cwd=directory)
    words = ["cargo", "metadata", "--locked", "--format-version=1"]
    metadata = json.loads(subprocess.run(words, cwd=directory, check=True, stdout=subprocess.PIPE).stdout)
    fill(SHELF / "crates", metadata, directory / "Cargo.lock", list((home / "registry/cache").iterdir()))


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
