"""Runtimes of languages that rooms get: whole directories of this machine, or of npm's `node` packages."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from packages.common import ROOT, platforms, run
from packages.rehearse.case import Runtime

# The libraries that a Python built from source loads from the system.
PYTHON_LIBRARIES = ("libssl3", "libffi8", "libsqlite3-0", "libreadline8", "libuuid1", "libexpat1", "ca-certificates")


@cache
def python(version: str) -> Runtime:
    """CPython as pyenv keeps it: `python("3.12")`. It finds its library by the path for which it was built."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    patches = {path.name.rpartition(".")[2]: path for path in versions.glob(f"{version}.*")}
    # Neither 3.13.0t nor 3.13.0rc1.
    found = [path for patch, path in sorted(patches.items(), key=lambda each: each[0].zfill(9)) if patch.isdigit()]
    if not found:
        missing = f"{versions} has no Python {version}"
        return Runtime(f"Python {version}", versions, "/opt/python", missing=missing)
    return Runtime(f"Python {found[-1].name}", found[-1], str(found[-1]))


@cache
def node(version: str, npm: str) -> Runtime:
    """Node from npm's packages, with npm beside it as in its own archive: `node("22", "10")`. Needs the network."""
    place = ROOT / f"target/rehearse/node-{version}-npm-{npm}"
    here = next(platform for platform in platforms() if platform.is_here)
    program = f"node-linux-{here.npm['cpu']}"
    if not (place / "bin/npx").exists():
        options = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        run("npm", "install", *options, "--prefix", place / "lib", f"{program}@{version}", f"npm@{npm}")
        (place / "bin").mkdir(exist_ok=True)
        modules = Path("../lib/node_modules")
        for name, target in {
            "node": f"{program}/bin/node", "npm": "npm/bin/npm-cli.js", "npx": "npm/bin/npx-cli.js",
        }.items():  # fmt: skip
            (place / "bin" / name).unlink(missing_ok=True)
            (place / "bin" / name).symlink_to(modules / target)
    said = subprocess.run([place / "bin/node", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return Runtime(f"Node {said.strip()} with npm {npm}", place, f"/opt/node{version}")


@cache
def go() -> Runtime:
    """The Go of this machine."""
    root = subprocess.run(
        ["go", "env", "GOROOT", "GOVERSION"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.split()
    return Runtime(f"Go {root[1].removeprefix('go')}", Path(root[0]), "/usr/local/go")


@cache
def rust() -> Runtime:
    """The Rust of this machine, for cases that are about Rust."""
    root = subprocess.run(["rustc", "--print", "sysroot"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    said = subprocess.run(["rustc", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
    return Runtime(f"Rust {said}", Path(root), "/opt/rust")
