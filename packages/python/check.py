"""Whether wheels are what their names say, and have in them what they should have."""

from __future__ import annotations

import email.parser
import json
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from packages.common import Platform, run, version

if TYPE_CHECKING:
    from pathlib import Path


def wheel(path: Path, platform: Platform) -> None:
    """Ends this process, with all that is wrong, unless this wheel of portalloc is right."""
    _end_if(path, [*_audited(path, platform), *_contents(path)])


def pytest_portalloc(path: Path) -> None:
    """The same for the wheel that only depends on portalloc: whatever code it had, pytest would load it as well."""
    information = f"pytest_portalloc-{version()}.dist-info"
    with zipfile.ZipFile(path) as archive:
        code = [name for name in archive.namelist() if not name.startswith(f"{information}/")]
        loaded = f"{information}/entry_points.txt" in archive.namelist()
        metadata = email.parser.BytesParser().parsebytes(archive.read(f"{information}/METADATA"))
    needs = metadata.get_all("Requires-Dist")
    wrong = [f"has files of its own: {code}"] if code else []
    if loaded:
        wrong.append("has entry points, so that pytest would load the plugin twice")
    if needs != [f"portalloc[pytest]=={version()}"]:
        wrong.append(f"needs {needs}")
    _end_if(path, wrong)


def _end_if(path: Path, wrong: list[str]) -> None:
    if wrong:
        sys.exit("\n".join(f"{path.name}: {one}" for one in wrong))


def _audited(path: Path, platform: Platform) -> list[str]:
    """By its own symbols and libraries, the wheel runs where its tag says."""
    # What this machine has in its library paths says nothing about a stranger's.
    command = ("auditwheel", "show", "--json", "--ldpaths", "/nonexistent", path)
    report = json.loads(run(*command, stdout=subprocess.PIPE, text=True).stdout)
    wrong = []
    if report["sym_tag"] != platform.wheel:
        wrong.append(f"needs {report['sym_tag']}, but is for {platform.wheel}: {report['versioned_symbols']}")
    # auditwheel knows musl by the name that Alpine gives it. musl's own loader takes this one for itself, everywhere.
    libraries = set(report["external_libs"]) - ({"libc.so"} if platform.is_musl else set())
    if libraries:
        wrong.append(f"needs libraries that not every system has: {sorted(libraries)}")
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
