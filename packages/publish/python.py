"""Publishes one project of dist/python with uv: `portalloc` or `pytest-portalloc`.

One at a time, because PyPI lets a workflow create only one project for each GitHub environment.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from packages import common
from packages.publish import files

if TYPE_CHECKING:
    from pathlib import Path

PROJECTS = ("portalloc", "pytest-portalloc")
PYPI = "https://pypi.org/simple/"


def prefix(project: str) -> str:
    """With what the names of a project's distributions begin."""
    return f"{project.replace('-', '_')}-{common.version()}"


def publish(project: str, distributions: list[Path], env: dict[str, str] | None = None) -> None:
    """`env` may say UV_PUBLISH_URL, and UV_PUBLISH_CHECK_URL, by which uv knows what is published already."""
    chosen = [path for path in distributions if path.name.startswith(prefix(project))]
    if not chosen:
        sys.exit(f"dist/python has nothing of {project} {common.version()}; run `make dist`")
    # Only a workflow has an identity to sign with. uv uploads the attestations that lie beside the files.
    if "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in os.environ:
        common.run("pypi-attestations", "sign", *chosen)
    common.run("uv", "publish", *chosen, env={"UV_PUBLISH_CHECK_URL": PYPI, **(env or {})})


if __name__ == "__main__":
    publish(sys.argv[1], files("python"))
