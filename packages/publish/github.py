"""Publishes the release on GitHub with gh: archives, checksums, SBOM and manifest. Its text is the changelog's section.

`--collect` only collects the files in target/release-files, flat as they are served, with a SHA256SUMS of their own.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from packages import common
from packages.publish import files

if TYPE_CHECKING:
    from pathlib import Path

# The registries have the rest.
PARTS = ("command", "c", "sbom.cdx.json")
FILES = common.ROOT / "target/release-files"


def collect() -> list[Path]:
    shutil.rmtree(FILES, ignore_errors=True)
    FILES.mkdir(parents=True)
    collected: list[Path] = []
    # The manifest says what has been installed, which is not known yet when the checksums are written.
    for path in (*files(*PARTS), common.DIST / "manifest.json"):
        if (FILES / path.name).exists():
            sys.exit(f"two files of dist/ are named {path.name}, but a release on GitHub has no folders")
        shutil.copy2(path, FILES)
        collected.append(FILES / path.name)
    sums = FILES / "SHA256SUMS"
    sums.write_text("".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in collected))
    return [*collected, sums]


def notes(version: str, changelog: str) -> str:
    """The changelog's section for a version, without its heading."""
    heading = rf"^## \[?{re.escape(version)}(?![\w.])[^\n]*\n"
    section = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if section is None:
        sys.exit(f"CHANGELOG.md has no section for {version}")
    return section[1].strip()


def main() -> None:
    collected = collect()
    if sys.argv[1:] == ["--collect"]:
        return
    version = common.version()
    words = ["gh", "release", "view", f"v{version}", "--json", "isDraft"]
    view = subprocess.run(words, stdout=subprocess.PIPE, text=True)
    if view.returncode == 0 and not json.loads(view.stdout)["isDraft"]:
        print(f"v{version} is published already")
        return
    if view.returncode == 0:
        # A draft is what is left of an upload that broke off.
        common.run("gh", "release", "delete", f"v{version}", "--yes")
    text = notes(version, (common.ROOT / "CHANGELOG.md").read_text())
    options = ["--verify-tag", "--title", f"portalloc {version}", "--notes-file", "-"]
    common.run("gh", "release", "create", f"v{version}", *options, *collected, input=text, text=True)


if __name__ == "__main__":
    main()
