"""The pytest plugin of portalloc: what pytest sees of it.

Every pytest run of everybody who has installed the wheel loads this file, whether it uses a fixture or not. So it
imports neither the native module nor anything that pytest has not imported already; submodules do the work, and are
imported when there is some. Load it by its entry point, `-p portalloc`; switch it off with
`-p no:portalloc`.

Public here: the fixtures (`pytest --fixtures`), the options (`pytest --help`) and `PortLeakWarning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from portalloc_pytest.fixtures import (
    free_port,
    free_ports,
    isolation,
    listening_socket,
    port_lease,
    portalloc_options,
    portalloc_run,
    portalloc_test,
    run_isolation,
)
from portalloc_pytest.options import OPTIONS, Options, pytest_addoption

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from portalloc import PortLeakWarning

    from portalloc_pytest.run import RunIsolation
else:

    def __getattr__(name: str) -> Any:
        # Importing its package loads the native module.
        if name == "PortLeakWarning":
            from portalloc import PortLeakWarning

            return PortLeakWarning
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "PortLeakWarning",
    "free_port",
    "free_ports",
    "isolation",
    "listening_socket",
    "port_lease",
    "portalloc_options",
    "portalloc_run",
    "portalloc_test",
    "pytest_addoption",
    "run_isolation",
]


RUN = pytest.StashKey["RunIsolation"]()


def run_of(config: pytest.Config) -> RunIsolation:
    """The `RunIsolation` of this process, made at its first use."""
    if RUN not in config.stash:
        from portalloc_pytest.run import RunIsolation

        config.stash[RUN] = RunIsolation(config, config.stash[OPTIONS])
    return config.stash[RUN]


def pytest_configure(config: pytest.Config) -> None:
    options = Options.read(config)
    config.stash[OPTIONS] = options
    if options.asyncio_fixtures:
        from portalloc_pytest.dropins import install

        install(config.pluginmanager)


# --- the header line. It needs the native module, so it is shown only where a fixture of ours is going to need it too.


def pytest_report_header(config: pytest.Config) -> list[str]:
    # xdist's controller collects nothing, so it cannot know whether the workers will use a fixture.
    if not config.pluginmanager.has_plugin("dsession"):
        return []
    from portalloc_pytest.header import lines

    return lines(config.stash[OPTIONS])


def pytest_report_collectionfinish(config: pytest.Config, items: Iterable[pytest.Item]) -> list[str]:
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
    run_of(node.config).offer(node.workerinput)


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
            run_of(item.config).prepare()
    yield


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # Last, because before it the session's fixtures are torn down and xdist's workers ended.
    if RUN in session.config.stash:
        session.config.stash[RUN].report_leaks(session)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].summarize(terminalreporter)


def pytest_unconfigure(config: pytest.Config) -> None:
    # Not with the session fixture: a forked child tears that down as well, and so would each of xdist's workers. This
    # here comes after Ctrl-C, too.
    if RUN in config.stash:
        config.stash[RUN].close()


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
