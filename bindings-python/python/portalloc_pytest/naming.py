"""The plugin has two names, its entry point's and its module's, and may be named by both."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def take_both_names(manager: pytest.PytestPluginManager) -> None:
    """pytest refuses to register a plugin once more under another name. So an empty module takes the name that did not
    come first."""
    for name in {"portalloc", "portalloc_pytest"} - {manager.get_name(sys.modules["portalloc_pytest"])}:
        manager.register(ModuleType(name), name)
