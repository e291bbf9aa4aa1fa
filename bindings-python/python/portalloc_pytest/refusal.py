"""All of the plugin for a pytest that is too old for it, which would otherwise show a traceback."""

from __future__ import annotations

import pytest

from portalloc_pytest.naming import take_both_names


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:  # noqa: ARG001
    take_both_names(pluginmanager)


def pytest_configure(config: pytest.Config) -> None:  # noqa: ARG001 - the name is pytest's
    raise pytest.UsageError(
        f"the plugin portalloc needs pytest 7.3 or newer, and this is pytest {pytest.__version__}: "
        "install a newer one, or leave the plugin out with -p no:portalloc"
    )
