"""Whether a wheel is what its name says, and has in it what it should have."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from packages.common import Platform, run, version

if TYPE_CHECKING:
    from pathlib import Path


def wheel(path: Path, platform: Platform) -> None:
    """Ends this process, with all that is wrong, unless the wheel is right."""
    wrong = [*_audited(path, platform), *_contents(path)]
    if wrong:
        sys.exit("\n".join(f"{path.name}: {one}" for one in wrong))


def _audited(path: Path, platform: Platform) -> list[str]:
    """By its own symbols and libraries, the wheel runs where its tag says."""
    shown = run("auditwheel", "show", "--json", path, stdout=subprocess.PIPE, text=True).stdout
    report = json.loads(shown)
    wrong = []
    if report["overall_tag"] != platform.wheel:
        wrong.append(f"needs {report['overall_tag']}, but is for {platform.wheel}: {report['versioned_symbols']}")
    if report["external_libs"]:
        wrong.append(f"needs libraries that not every system has: {report['external_libs']}")
    return wrong


def _contents(path: Path) -> list[str]:
    """The packages, the command, the plugin, the licences and a bill of materials; nothing else."""
    information = f"portalloc-{version()}.dist-info"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        points = archive.read(f"{information}/entry_points.txt").decode()
    wrong = []
    for needed in ("portalloc/_portalloc.abi3.so", "portalloc/py.typed", f"{information}/licenses/LICENSE-MIT"):
        if needed not in names:
            wrong.append(f"lacks {needed}")
    if not any(name.startswith(f"{information}/sboms/") for name in names):
        wrong.append("has no bill of materials")
    foreign = {name.split("/")[0] for name in names} - {"portalloc", "portalloc_pytest", information}
    if foreign:
        wrong.append(f"has what does not belong in it: {sorted(foreign)}")
    for point in ("[pytest11]", "[console_scripts]"):
        if point not in points:
            wrong.append(f"has no entry point in {point}")
    return wrong
