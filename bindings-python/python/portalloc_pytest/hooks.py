"""The hooks: when pytest calls the plugin, and what is looked at first to find out whether there is anything to do.

Loaded in every run. The work is in other modules, which are imported when there is some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portalloc_pytest.naming import take_both_names
from portalloc_pytest.options import OPTIONS, Options, add_options

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    add_options(parser)
    take_both_names(pluginmanager)


def pytest_configure(config: pytest.Config) -> None:
    options = Options.read(config)
    config.stash[OPTIONS] = options
    if options.asyncio_fixtures:
        from portalloc_pytest.dropins import install

        install(config.pluginmanager)


# --- the header line. It needs the native module, so it is shown only where a fixture of ours is going to need it too.


def pytest_report_collectionfinish(config: pytest.Config, items: Iterable[pytest.Item]) -> list[str]:
    return _header(config, items)


# Before xdist tells the controller that this worker has its tests.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    workerinput: dict[str, Any] | None = getattr(session.config, "workerinput", None)
    if workerinput is not None:
        lines = _header(session.config, session.items)
        if lines:
            from portalloc_pytest.shared_run import tell_header

            tell_header(workerinput, lines)


def _header(config: pytest.Config, items: Iterable[pytest.Item]) -> list[str]:
    if config.option.verbose < 0 or config.option.no_header:
        return []
    # Every fixture of ours needs `_portalloc`. A fixture of the same name in somebody's conftest does not.
    if not any("_portalloc" in getattr(item, "fixturenames", ()) for item in items):
        return []
    from portalloc_pytest.header import lines

    return lines(config.stash[OPTIONS])


# --- the environment of the whole run


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist's controller is about to start a worker, maybe in place of a crashed one."""
    manager = node.config.pluginmanager
    if not manager.has_plugin("portalloc_controller"):
        from portalloc_pytest.shared_run import Controller

        manager.register(Controller(node.config, node.config.stash[OPTIONS]), "portalloc_controller")
    manager.get_plugin("portalloc_controller").offer(node.workerinput)


# A wrapper, because plugins that fork for each test do so in a `tryfirst` implementation of this hook, and only
# wrappers are certain to come before those, whatever the order of plugins. Old-style, because new-style ones need
# pluggy 1.2.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, None]:
    names: list[str] = getattr(item, "fixturenames", [])
    if "_portalloc" in names:
        if "_portalloc_test" in names and names[0] != "_portalloc_test":
            # Set up first is torn down last: when it looks for leaks, every other fixture of the test has had its
            # chance to stop its server, also those that do not depend on the fixture that gave them the port.
            names.remove("_portalloc_test")
            names.insert(0, "_portalloc_test")
        if "_portalloc_run" in names:
            from portalloc_pytest.run import run_of

            run_of(item.config).prepare()
    yield


# --- what is added to failures


# Outermost, so that it sees what the other plugins (xfail, rerun) have made of the outcome.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, None]:
    outcome = yield
    if outcome.excinfo is not None:
        return
    report = outcome.get_result()
    if report.failed:
        from portalloc_pytest.failure import explain

        explain(item, call, report)
