"""Fixtures: the programs, installed once, and a place for each test."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import portalloc
import pytest
from place import IS_ROOT, Place, give_away
from processes import adopt_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator

#: All test runs of this machine meet here, in whatever language, so that none gets another's ports.
SLICES = Path(tempfile.gettempdir()) / "portalloc-test-ports"
SLICES_POOL = "20001-29999"
SLICE = 40

INSTALLED = Path(os.environ["PORTALLOC_WORKTREES"])
IS_CI = "CI" in os.environ


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The suite's own closing line, which .ci/run wants to see."""
    count = {name: len(terminalreporter.stats.get(name, [])) for name in ("passed", "failed", "error", "skipped")}
    failed = count["failed"] + count["error"]
    terminalreporter.write_line(f"worktrees: {count['passed']} passed, {failed} failed, {count['skipped']} skipped")


def need(*programs: str) -> None:
    """Skips a test loudly where a program is missing. CI must have it."""
    for program in programs:
        if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            not_checked(f"there is no {program} here")


def not_checked(why: str) -> None:
    assert not IS_CI, f"CI must check this: {why}"
    warnings.warn(f"NOT CHECKED: {why}", stacklevel=3)
    pytest.skip(why)


@pytest.fixture(scope="session")
def programs() -> Iterator[Path]:
    """The command line and what the example needs, where every user can run them."""
    adopt_orphans()
    # Not below `tmp_path`, which only its owner can enter.
    with tempfile.TemporaryDirectory(prefix="portalloc-worktrees-", ignore_cleanup_errors=True) as name:
        programs = Path(name)
        programs.chmod(0o755)
        for directory in ("bin", "installed"):
            (programs / directory).mkdir()
        shutil.copy(os.environ["PORTALLOC_CLI"], programs / "bin/portalloc")
        if not (INSTALLED / "ready").exists():
            pytest.fail(f"the example's dependencies are not in {INSTALLED}: run `make test-worktrees`")
        for directory in ("node_modules", "venv"):
            subprocess.run(["cp", "-r", INSTALLED / directory, programs / "installed" / directory], check=True)
        give_away(programs)
        yield programs


@pytest.fixture
def place(programs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("PORTALLOC_DIR", str(SLICES))
    monkeypatch.delenv("PORTALLOC_POOL", raising=False)
    with (
        portalloc.lease(SLICE, pool=SLICES_POOL, wait=120) as leased,
        tempfile.TemporaryDirectory(prefix="place-", dir=programs, ignore_cleanup_errors=True) as name,
    ):
        place = Place(Path(name), programs, leased.ports)
        try:
            yield place
        finally:
            place.end()


@pytest.fixture
def root() -> None:
    """For tests that need a second user."""
    if not IS_ROOT:
        not_checked("only root can start a server of another user")
