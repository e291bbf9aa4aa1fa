"""No test here may touch the registry of this machine's users, so each has a world of its own, named or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support import World


@pytest.fixture(autouse=True)
def _in_a_world(world: World) -> None:
    """By the fixture that it asks for."""
