"""``tools.doctor``: the fields of ``portalloc doctor --json``, as a value."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from pathlib import Path

    from support import World


def test_it_says_what_the_command_says(world: World) -> None:
    report = tools.doctor(explain=2)
    told = json.loads(
        subprocess.run(
            [sys.executable, "-m", "portalloc", "doctor", "--json", "--explain", "2"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    )
    codes = [check["code"] for check in told["checks"]]
    assert [check.code for check in report.checks] == codes
    assert [asdict(check) for check in report.checks[:2]] == told["checks"][:2]
    assert report.explanation
    assert report.explanation.census == told["explanation"]["census"]
    assert report.machine.version == portalloc.__version__
    assert ("PORTALLOC_POOL", world.pool) in report.machine.variables
    assert bool(report) is report.ok is told["ok"]


def test_a_broken_registry_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PORTALLOC_DIR", str(tmp_path / "file"))
    report = tools.doctor(explain=1)
    assert not report
    registry = report.checks[0]
    assert (registry.code, registry.status) == ("registry", "broken")
    assert registry.remedy
    assert str(registry) == f"registry: {registry.message}"
    assert report.explanation is not None
    assert not report.explanation
    assert "the line registry" in str(report.explanation)
    assert {check.status for check in report.checks} >= {"ok", "broken", "skipped"}


def test_pool_and_exclusions_may_be_named(world: World) -> None:
    report = tools.doctor(explain=2, pool=f"{world.base}-{world.base + 1}", exclude=str(world.base))
    assert report.explanation is not None
    assert report.explanation.message.endswith("the pool has only 1")
    assert tools.doctor().explanation is None
    with pytest.raises(portalloc.InvalidArgumentError):
        tools.doctor(explain=-1)
