"""Packs the npm packages: `portalloc`, which is JavaScript only, and one for each platform, with addon and command."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from packages import common
from packages.common import ROOT, Platform

SOURCE = ROOT / "bindings-node"
LICENCES = ("LICENSE-APACHE", "LICENSE-MIT")
# What the packages of the platforms have in common with `portalloc`.
SHARED = ("version", "homepage", "bugs", "repository", "license", "engines", "publishConfig")


def pack_main(destination: Path) -> Path:
    """Packs bindings-node as its manifest says, without the scripts, which are for a clone."""
    manifest = _manifest()
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch)
        for pattern in (*manifest["files"], "README.md"):
            for file in SOURCE.glob(pattern):
                for path in [file, *file.rglob("*")]:
                    if path.is_file():
                        mode = 0o755 if path.parent.name == "bin" else 0o644
                        _put(path, package / path.relative_to(SOURCE), mode)
        del manifest["scripts"]
        return _pack(package, manifest, destination)


def pack_platform(platform: Platform, addon: Path, program: Path, destination: Path) -> Path:
    """Packs what was built for a platform."""
    main = _manifest()
    manifest = {
        "name": _name(main, platform),
        "description": f"What {main['name']} needs on {platform.name}: its addon and its command",
        **{key: main[key] for key in SHARED},
        **{key: [value] for key, value in platform.npm.items()},
        "main": "portalloc.node",
        "files": ["portalloc.node", "portalloc", "LICENSE-*"],
        # Yarn would leave it in an archive, from which no system loads a library or starts a program.
        "preferUnplugged": True,
    }
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch)
        _put(addon, package / "portalloc.node", 0o644)
        _put(program, package / "portalloc", 0o755)
        _write(
            package / "README.md",
            f"# {manifest['name']}\n\n"
            f"The addon and the command of [{main['name']}]({main['homepage']}) for {platform.name}.\n"
            f"Install `{main['name']}`: it depends on this package where it fits.\n",
        )
        return _pack(package, manifest, destination)


def _manifest() -> dict[str, Any]:
    """That of `portalloc`, if it names the packages that we make."""
    manifest: dict[str, Any] = json.loads((SOURCE / "package.json").read_text())
    wanted = {_name(manifest, platform): common.version() for platform in common.platforms()}
    if manifest["version"] != common.version() or manifest["optionalDependencies"] != wanted:
        sys.exit(
            f"bindings-node/package.json has version {manifest['version']} and the optional dependencies "
            f"{manifest['optionalDependencies']}; by Cargo.toml and packages/platforms.toml they are "
            f"{common.version()} and {wanted}"
        )
    return manifest


def _name(main: dict[str, Any], platform: Platform) -> str:
    return f"@{main['name']}/{platform.name}"


def _put(source: Path, target: Path, mode: int) -> None:
    if not source.is_file():
        sys.exit(f"{source} is missing, so there is nothing to pack; build it first (in a clone: `npm run build`)")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(0o644)


def _pack(package: Path, manifest: dict[str, Any], destination: Path) -> Path:
    """npm sorts the files and gives them one time, so that the same files make the same archive."""
    for licence in LICENCES:
        _put(ROOT / licence, package / licence, 0o644)
    _write(package / "package.json", json.dumps(manifest, indent=2) + "\n")
    destination.mkdir(parents=True, exist_ok=True)
    target = destination / f"{manifest['name'].removeprefix('@').replace('/', '-')}-{manifest['version']}.tgz"
    target.unlink(missing_ok=True)
    common.run("npm", "pack", "--silent", "--pack-destination", destination.resolve(), cwd=package, stdout=sys.stderr)
    return target
