"""Keeps the files of an environment when its test has ended.

The temp directory of an environment has a short path on purpose (the path of a Unix socket has at most 107 characters),
and the cleanup removes it with everything in it. After a failure one needs the files, and pytest has rules for that:
`tmp_path`. A temp directory below `tmp_path` would have a long path, and the cleanup would remove it all the same. So
the files stay where they are while the test runs, and are then moved (usually renamed) into the test's `tmp_path`, if
pytest has kept that: this file need not know by which policy.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import portalloc


def place(environment: portalloc.Environment, tmp_path: Path) -> Path:
    return tmp_path / f"isolation-{environment.id}"


def has_files(environment: portalloc.Environment) -> bool:
    try:
        with os.scandir(environment.temp_dir) as entries:
            return any(True for _ in entries)
    except OSError:
        return False  # the test has removed it, or may not read it


def keep(environment: portalloc.Environment, tmp_path: Path) -> None:
    """Moves the files. Raises `OSError` for what could be neither moved nor copied."""
    if not has_files(environment) or not tmp_path.is_dir():
        return
    target = place(environment, tmp_path)
    target.mkdir()
    for source in list(environment.temp_dir.iterdir()):
        try:
            source.rename(target / source.name)
        except OSError:
            _copy(source, target / source.name)  # `--basetemp` is on another file system


def _copy(source: Path, target: Path) -> None:
    if _special(source):
        return
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True, ignore=_special_ones)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _special_ones(directory: str, names: list[str]) -> list[str]:
    return [name for name in names if _special(Path(directory, name))]


def _special(path: Path) -> bool:
    """Sockets, pipes and devices, which cannot be copied."""
    mode = path.lstat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode))
