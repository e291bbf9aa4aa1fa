"""Archives with the same bytes whoever makes them: order, owners, modes and times do not come from this machine."""

from __future__ import annotations

import gzip
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

from packages.common import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# Of a tree that is no clone: what cargo, too, gives the files of its packages.
NO_COMMIT = 1153704088


def source_date() -> int:
    """When the packaged source was made, in seconds since 1970: $SOURCE_DATE_EPOCH, else the time of the commit."""
    if stated := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(stated)
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(asked.stdout) if asked.returncode == 0 else NO_COMMIT


def put(path: Path, content: bytes, mode: int = 0o644) -> None:
    """A file with the directories above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def compressed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def pack(directory: Path, archive: Path) -> None:
    """`archive` (.tar.gz) has `directory` as its only top directory."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = source_date()
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    archive.parent.mkdir(parents=True, exist_ok=True)
    # Without a name, gzip's header has none either.
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        tar.add(directory, directory.name, recursive=False, filter=plain)
        for path in sorted(directory.rglob("*")):
            tar.add(path, f"{directory.name}/{path.relative_to(directory)}", recursive=False, filter=plain)
    size = archive.stat().st_size
    print(f"{archive.relative_to(ROOT) if archive.is_relative_to(ROOT) else archive}: {size} bytes")


def emptied(part: Path, pattern: str) -> Path:
    """A directory of `dist/` without what an earlier build has left there."""
    part.mkdir(parents=True, exist_ok=True)
    for path in part.glob(pattern):
        path.unlink()
    return part
