"""The Homebrew formula: what a tap needs to install the archives."""

from __future__ import annotations

import hashlib
from string import Template
from typing import TYPE_CHECKING

from packages.common import ROOT, version

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = ROOT / "packages/command/homebrew/portalloc.rb.in"


def build(archives: Path) -> None:
    """Writes it beside the archives, if all of them are there: a formula without an architecture would be wrong."""
    values = {"version": version(), "address": f"https://github.com/portalloc/portalloc/releases/download/v{version()}"}
    for architecture in ["x86_64", "aarch64"]:
        archive = archives / f"portalloc-{version()}-{architecture}-unknown-linux-musl.tar.gz"
        if not archive.exists():
            print(f"no formula: {archive.name} is not there")
            return
        values[f"{architecture}_file"] = archive.name
        values[f"{architecture}_sha256"] = hashlib.sha256(archive.read_bytes()).hexdigest()
    (archives / "portalloc.rb").write_text(Template(TEMPLATE.read_text()).substitute(values))
