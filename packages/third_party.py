"""What the binaries contain of others, with the notices that their licences ask for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from packages.common import ROOT, Platform

# A crate that offers several licences is taken under the first of these whose file it has.
NAMES = ("LICENSE-MIT", "LICENSES/MIT.txt", "LICENSE", "LICENSE.md", "LICENSE.txt", "LICENSE-BSD", "COPYING")
# Of the compiler, which cargo does not list.
RUNTIME = """\
The Rust standard library is taken under the MIT license:
Copyright (c) The Rust Project Contributors
"""
MUSL = """\
musl, and the unwinder of LLVM (Apache-2.0 WITH LLVM-exception). musl is taken under the MIT license:
Copyright (c) 2005-2020 Rich Felker, et al.
"""


def notices(package: str, platform: Platform) -> bytes:
    """Of all that is linked into what `package` makes for the platform."""
    text = f"What this package contains beside portalloc itself.\n\n{RUNTIME}"
    if platform.is_musl:
        text += f"\n{MUSL}"
    crates_of: dict[str, list[str]] = {}
    for crate in linked(package, platform):
        crates_of.setdefault(licence(crate), []).append(f"{crate['name']} {crate['version']}")
    for words, crates in crates_of.items():
        text += f"\n{'=' * 80}\n{', '.join(crates)}\n\n{words}\n"
    return text.encode()


def linked(package: str, platform: Platform) -> list[dict[str, Any]]:
    """The public crates, without those that only run in the compiler."""
    words = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", platform.rust]
    metadata = json.loads(subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    crates = {crate["id"]: crate for crate in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo = [name for name, crate in crates.items() if crate["name"] == package and not crate["source"]]
    found: dict[str, dict[str, Any]] = {}
    while todo:
        name = todo.pop()
        if name in found or any("proc-macro" in target["kind"] for target in crates[name]["targets"]):
            continue
        found[name] = crates[name]
        needs = nodes[name]["deps"]
        todo += [need["pkg"] for need in needs if any(kind["kind"] is None for kind in need["dep_kinds"])]
    return sorted((crate for crate in found.values() if crate["source"]), key=lambda crate: str(crate["name"]))


def licence(crate: dict[str, Any]) -> str:
    directory = Path(crate["manifest_path"]).parent
    for name in NAMES:
        if (path := directory / name).is_file():
            return path.read_text().strip()
    raise SystemExit(f"{crate['name']} {crate['version']} has no licence file that packages/third_party.py knows")
