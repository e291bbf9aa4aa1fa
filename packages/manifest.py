"""Says what dist/ has: checksums, the SBOM, and in manifest.json what each file is and whether we have installed it.

Fails if a file is larger than promised, or is of another version.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packages import sbom
from packages.common import DIST, ROOT, Platform, platforms, version

if TYPE_CHECKING:
    from collections.abc import Iterable

SUMS, BILL, MANIFEST = (DIST / name for name in ("SHA256SUMS", "sbom.cdx.json", "manifest.json"))
# What the last rehearsals have installed: the digests of files, and the cases.
INSTALLED = ROOT / "target/rehearse/installed.json"

# What a file is, by its path in dist/; the first that fits. The bound is in bytes.
KINDS: tuple[tuple[str, str, int | None], ...] = (
    (r"python/.*\.whl", "wheel", 2_000_000),
    (r"python/.*\.tar\.gz", "sdist", None),
    (r"npm/portalloc-\d.*\.tgz", "npm package", None),
    (r"npm/.*\.tgz", "npm package for a platform", 2_500_000),
    (r"rust/.*\.crate", "crate", None),
    (r"command/.*\.tar\.gz", "archive of the command", None),
    (r"command/.*\.deb", "Debian package", None),
    (r"command/.*\.rb", "Homebrew formula", None),
    (r"c/.*\.tar\.gz", "archive of the C library", None),
    (r"go/.*/@v/.*\.zip", "Go module", 8_000_000),
    (r"go/.*/@v/.*", "Go module, as proxies describe it", None),
)
COMMAND_BOUND = 2_500_000


@dataclass(frozen=True)
class File:
    """One entry of manifest.json."""

    path: str
    what: str
    ecosystem: str
    platform: str
    version: str
    size: int
    sha256: str
    installed: bool
    by: list[str]  # the cases of the rehearsal that have installed it
    why_not: str | None


def main() -> None:
    if not DIST.is_dir():
        sys.exit("there is no dist/; run `make dist`")
    paths = sorted(path for path in DIST.rglob("*") if path.is_file() and path not in (SUMS, BILL, MANIFEST))
    if wrong := failures(paths):
        sys.exit("\n".join(wrong))
    found = [describe(path) for path in paths]
    sbom.write(BILL)
    # Every path is relative to dist/, so that `sha256sum -c` works there.
    SUMS.write_text("".join(f"{digest(path)}  {path.relative_to(DIST)}\n" for path in [*paths, BILL]))
    text = {"version": version(), "files": [asdict(file) for file in found]}
    MANIFEST.write_text(json.dumps(text, indent=2) + "\n")
    print(table(found))


def describe(path: Path) -> File:
    name = str(path.relative_to(DIST))
    sha256 = digest(path)
    by = installed_by(sha256)
    platform = platform_of(name)
    return File(
        path=name,
        what=kind_of(name)[0],
        ecosystem=name.partition("/")[0],
        platform=platform.name if platform else "any",
        version=version(),
        size=path.stat().st_size,
        sha256=sha256,
        installed=bool(by),
        by=by,
        why_not=None if by else why_not(name, platform),
    )


def kind_of(name: str) -> tuple[str, int | None]:
    for pattern, what, bound in KINDS:
        if re.fullmatch(pattern, name):
            return what, bound
    sys.exit(f"dist/{name}: packages/manifest.py does not know what this is")


def platform_of(name: str) -> Platform | None:
    for platform in platforms():
        marks = [platform.name, platform.rust, platform.wheel]
        if platform.debian and name.endswith(".deb"):
            marks.append(f"_{platform.debian}.")
        if any(mark in name for mark in marks):
            return platform
    return None


def why_not(name: str, platform: Platform | None) -> str:
    if name.endswith(".rb"):
        return "never installed by us: rendered from the archives' checksums, and checked by `ruby -c`"
    if platform and not platform.is_here:
        return f"built for {platform.architecture}, which the machine that built it is not"
    if platform and platform.is_musl and not name.startswith("command/"):
        return "built for musl; no runtime of this language is built for it on the machine that built it"
    return "no rehearsal has installed it since it was built"


def installed_by(sha256: str) -> list[str]:
    # Those of rehearsals on other machines lie beside this machine's, each in a directory of its own.
    known: list[dict[str, list[str]]] = [
        json.loads(path.read_text())
        for path in (INSTALLED, *INSTALLED.parent.glob(f"installed-*/{INSTALLED.name}"))
        if path.exists()
    ]
    return sorted({case for installed in known for case in installed.get(sha256, [])})


def remember(paths: Iterable[str], case: str) -> None:
    """For the rehearsal: a case has installed these files of dist/."""
    known: dict[str, list[str]] = json.loads(INSTALLED.read_text()) if INSTALLED.exists() else {}
    for path in paths:
        cases = known.setdefault(digest(DIST / path), [])
        if case not in cases:
            cases.append(case)
    INSTALLED.write_text(json.dumps(known, indent=1))


def failures(paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        name = str(path.relative_to(DIST))
        _, bound = kind_of(name)
        if bound and path.stat().st_size > bound:
            found.append(f"dist/{name} has {path.stat().st_size} bytes, and at most {bound} are promised")
        numbers = set(re.findall(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.]*\d)", path.name))
        if numbers - {version()}:
            found.append(f"dist/{name} is not of version {version()}; build it again, or remove it")
        for command, size in commands_in(path):
            if size > COMMAND_BOUND:
                found.append(f"{command} in dist/{name} has {size} bytes, and at most {COMMAND_BOUND} are promised")
    return found


def commands_in(path: Path) -> list[tuple[str, int]]:
    """Every file named `portalloc` in an archive, with its size."""
    if path.name.endswith((".tar.gz", ".tgz")) and path.parent.name in ("command", "npm"):
        with tarfile.open(path) as archive:
            return [(member.name, member.size) for member in archive
                    if member.isfile() and Path(member.name).name == "portalloc" and member.mode & 0o100]  # fmt: skip
    return []


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def table(files: list[File]) -> str:
    lines = [f"{file.size / 1e6:7.2f} MB  {'installed' if file.installed else '-':9}  {file.path}" for file in files]
    total = sum(file.size for file in files) / 1e6
    closing = f"{len(files)} files, {total:.1f} MB; dist/manifest.json says why something was not installed"
    return "\n".join([*lines, closing])


if __name__ == "__main__":
    main()
