"""Publishes dist/npm with npm: the platforms' packages first, because the main one names exactly their version."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

from packages import common
from packages.publish import files

if TYPE_CHECKING:
    from pathlib import Path


def publish(archives: list[Path], env: dict[str, str] | None = None) -> None:
    packages = {identity(path): path for path in archives}
    for package in sorted(packages, key=lambda package: not package.startswith("@")):
        digest = hashlib.sha512(packages[package].read_bytes()).digest()
        there = published(package, env)
        if there == f"sha512-{base64.b64encode(digest).decode()}":
            print(f"{package} is published already")
        elif there is not None:
            sys.exit(f"{package} is published with other contents ({there}); release a new version")
        else:
            common.run("npm", "publish", "--access", "public", packages[package], env=env)


def identity(archive: Path) -> str:
    """`name@version`, from the archive's own manifest."""
    with tarfile.open(archive) as tar:
        manifest = tar.extractfile("package/package.json")
        assert manifest is not None
        package = json.load(manifest)
    return f"{package['name']}@{package['version']}"


def published(package: str, env: dict[str, str] | None) -> str | None:
    """The checksum that the registry has for a package, or None if it does not have that package."""
    words = ["npm", "view", package, "dist.integrity", "--json", "--loglevel=silent"]
    view = subprocess.run(words, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, text=True)
    if view.returncode == 0:
        # Nothing at all where the package exists but the version does not.
        return json.loads(view.stdout) if view.stdout.strip() else None
    error = json.loads(view.stdout)["error"]
    if error["code"] == "E404":
        return None
    sys.exit(f"npm cannot say whether {package} is published: {error['summary']}")


if __name__ == "__main__":
    publish(files("npm"))
