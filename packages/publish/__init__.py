"""Publishes `dist/`: one module an ecosystem, each with that ecosystem's own client.

The client's own settings say where to and as whom: NPM_CONFIG_REGISTRY, UV_PUBLISH_URL, CARGO_REGISTRY_DEFAULT, the git
remote. What is already there stays as it is, so that a release that broke off can be run again.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

from packages import common

if TYPE_CHECKING:
    from pathlib import Path


def files(*folders: str) -> list[Path]:
    """The files of these folders of `dist/`, each compared with SHA256SUMS: what is published is what was tested."""
    sums = common.DIST / "SHA256SUMS"
    if not sums.exists():
        sys.exit(f"{sums} does not exist; run `make dist` first")
    found = []
    for line in sums.read_text().splitlines():
        stated, name = line.split(maxsplit=1)
        path = common.DIST / name.lstrip("*").removeprefix("./")
        if path.relative_to(common.DIST).parts[0] not in folders:
            continue
        if not path.exists():
            sys.exit(f"{path} is missing, but SHA256SUMS names it; run `make dist` again")
        if hashlib.sha256(path.read_bytes()).hexdigest() != stated:
            sys.exit(f"{path} has changed since `make dist` wrote SHA256SUMS; run `make dist` again")
        found.append(path)
    if not found:
        sys.exit(f"{sums} names no file of {' or '.join(folders)}; run `make dist` without limits")
    return found
