"""What a call would go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import portalloc
import pytest
from portalloc import tools

if TYPE_CHECKING:
    from pathlib import Path

    from support import World


def test_those_of_the_variables(world: World) -> None:
    settings = tools.settings()
    assert settings.directory == world.registry
    assert settings.pool == world.pool
    assert (settings.ports, settings.count) == (world.pool, len(world.ports))
    assert settings.warnings == []
    assert settings.project is None
    assert repr(settings) == f'<Settings pool="{world.pool}" directory="{world.registry}">'


def test_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTALLOC_POOL")
    settings = tools.settings()
    assert settings.pool == "20000-29999"
    # Known services are left out, and whatever the kernel of this machine keeps.
    assert "27017" not in settings.ports.replace("-", ",").split(",")
    assert 0 < settings.count < 10_000


def test_arguments_go_before_variables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTALLOC_EXCLUDE", str(world.base))
    assert tools.settings().count == len(world.ports) - 1
    assert tools.settings(exclude="").count == len(world.ports)
    assert tools.settings(pool=f"{world.base}-{world.base + 1}").ports == str(world.base + 1)


def test_a_pool_inside_the_ephemeral_range_is_used_with_a_warning() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:  # noqa: PTH123
        first = int(file.read().split()[0])
    with pytest.warns(portalloc.PortallocWarning, match="ephemeral"):
        settings = tools.settings(pool=f"{first + 10}-{first + 19}")
    assert settings.count > 0
    assert any("ephemeral" in warning for warning in settings.warnings)


def test_they_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        tools.settings().pool = "1"  # type: ignore[misc]


def test_a_directory_that_was_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    # A lease needs no directory.
    with portalloc.lease() as lease:
        assert not lease.released
    assert tools.settings().project is None
    with pytest.raises(portalloc.InvalidArgumentError, match="the current directory has been removed"):
        portalloc.environment(1)
