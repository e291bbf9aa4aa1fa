"""Publishes one project of dist/python with uv: `portalloc` or `pytest-portalloc`.

One at a time, because PyPI lets a workflow create only one project for each GitHub environment.
"""

from __future__ import annotations

import os
import sys

from packages import common
from packages.publish import files


def main() -> None:
    (project,) = sys.argv[1:]
    prefix = f"{project.replace('-', '_')}-{common.version()}"
    distributions = [path for path in files("python") if path.name.startswith(prefix)]
    if not distributions:
        sys.exit(f"dist/python has nothing of {project} {common.version()}; run `make dist`")
    # Only a workflow has an identity to sign with. uv uploads the attestations that lie beside the files.
    if "ACTIONS_ID_TOKEN_REQUEST_TOKEN" in os.environ:
        common.run("pypi-attestations", "sign", *distributions)
    index = os.environ.get("UV_PUBLISH_CHECK_URL", "https://pypi.org/simple/")
    common.run("uv", "publish", "--check-url", index, *distributions)


if __name__ == "__main__":
    main()
