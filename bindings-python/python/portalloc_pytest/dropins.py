"""Fixtures with the names of pytest-asyncio's, that hold their ports. Registered only if the ini line is there.

Of two plugins that define a fixture of one name, the one that was registered later wins. pytest-asyncio may be
registered before or after this one, even by a test module (`pytest_plugins`) in the middle of the collection; then
these are registered once more. A conftest that defines one of the names wins over both, as it should.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portalloc_pytest.holding import Holder
    from portalloc_pytest.options import Options

_NAMES = ("unused_tcp_port", "unused_udp_port", "unused_tcp_port_factory", "unused_udp_port_factory")


def install(manager: pytest.PytestPluginManager, generation: int = 0) -> None:
    """Registers the fixtures, and registers them again when another plugin defines one of the names later."""
    # A new module each time, because pytest looks for fixtures in an object only once. Not an object of a class: there,
    # fixtures of a session cannot be methods.
    latest = True
    dropins = ModuleType(__name__)
    for fixture in (session_holder, unused_tcp_port, unused_udp_port, unused_tcp_port_factory, unused_udp_port_factory):
        setattr(dropins, fixture.__name__, fixture)
    # pytest also calls this hook for the plugins that were there before. By ID, since plugins need not be hashable;
    # kept alive, so that their IDs stay theirs.
    earlier = {id(other): other for other in manager.get_plugins()}

    @pytest.hookimpl(trylast=True)
    def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
        nonlocal latest
        if not latest or id(plugin) in earlier or getattr(plugin, "__name__", "") == __name__:
            return
        if any(hasattr(plugin, name) for name in _NAMES):
            latest = False
            install(manager, generation + 1)

    dropins.__dict__["pytest_plugin_registered"] = pytest_plugin_registered
    manager.register(dropins, f"portalloc_asyncio_fixtures_{generation}")


@pytest.fixture
def unused_tcp_port(_portalloc_test: Holder) -> int:
    """A port that is this test's alone until it ends: held by portalloc, in place of pytest-asyncio's fixture."""
    return _portalloc_test.lease().port


@pytest.fixture
def unused_udp_port(_portalloc_test: Holder) -> int:
    """A port that is this test's alone until it ends: held by portalloc, in place of pytest-asyncio's fixture."""
    return _portalloc_test.lease().port


@pytest.fixture(scope="session", name="_portalloc_session")
def session_holder(request: pytest.FixtureRequest, _portalloc: Options) -> Iterator[Holder]:
    """Holds what the factories give out until the session ends."""
    from portalloc_pytest.holding import holder_of

    with holder_of(request.session, _portalloc) as holder:
        yield holder


@pytest.fixture(scope="session")
def unused_tcp_port_factory(_portalloc_session: Holder) -> Callable[[], int]:
    """A function for ports, another one at each call, all held by portalloc until the session ends; in place of
    pytest-asyncio's fixture."""
    return lambda: _portalloc_session.lease().port


@pytest.fixture(scope="session")
def unused_udp_port_factory(_portalloc_session: Holder) -> Callable[[], int]:
    """A function for ports, another one at each call, all held by portalloc until the session ends; in place of
    pytest-asyncio's fixture."""
    return lambda: _portalloc_session.lease().port
