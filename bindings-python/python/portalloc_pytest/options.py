"""Options of the command line and the ini file: their names, their help and their values.

Loaded in every run. Knows nothing of what the options do. The native module reads variables and `portalloc.toml`, for
everything that is `None` here.
"""

from __future__ import annotations

import pytest

LEAK_MODES = ("warn", "error", "off")

_POOL = "ports to give out, such as 20000-20999,21500. Default: $PORTALLOC_POOL, else portalloc.toml, else 20000-29999"
_LEAK = "what to do if a server still listens on a leased port when its test has ended"


class Options:
    """The options of this run. `None`: not set here, so a variable, `portalloc.toml` or the default decides."""

    __slots__ = ("asyncio_fixtures", "exclude", "leak", "pool", "rootdir", "wait")

    def __init__(
        self,
        *,
        pool: str | None,
        exclude: str | None,
        leak: str,
        wait: float,
        asyncio_fixtures: bool,
        rootdir: str,
    ) -> None:
        self.pool = pool
        self.exclude = exclude
        self.leak = leak
        self.wait = wait
        self.asyncio_fixtures = asyncio_fixtures
        self.rootdir = rootdir

    @classmethod
    def read(cls, config: pytest.Config) -> Options:
        """Raises `pytest.UsageError` for an invalid value. The native module parses the pools later."""
        leak = config.getoption("portalloc_leak") or config.getini("portalloc_leak") or "warn"
        if leak not in LEAK_MODES:
            raise pytest.UsageError(f"portalloc_leak: {leak!r} is not one of {', '.join(LEAK_MODES)}")
        return cls(
            pool=config.getoption("portalloc_pool") or config.getini("portalloc_pool") or None,
            exclude=config.getini("portalloc_exclude") or None,
            leak=leak,
            wait=_seconds(config.getini("portalloc_timeout")),
            asyncio_fixtures=bool(config.getini("portalloc_asyncio_fixtures")),
            rootdir=str(config.rootpath),
        )


OPTIONS = pytest.StashKey[Options]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("portalloc", "leased ports (portalloc)")
    group.addoption("--portalloc-pool", metavar="PORTS", help=_POOL)
    group.addoption("--portalloc-leak", choices=LEAK_MODES, help=f"{_LEAK}. Default: warn")
    # `type` and `default` are given everywhere: what an option without them reads as has changed between versions.
    parser.addini("portalloc_pool", f"{_POOL}. --portalloc-pool overrides it", type="string", default="")
    parser.addini(
        "portalloc_exclude",
        "ports never to give out, such as 27017,28000-28010. Default: $PORTALLOC_EXCLUDE, else portalloc.toml",
        type="string",
        default="",
    )
    parser.addini(
        "portalloc_leak",
        f"{_LEAK}: warn (default; a PortLeakWarning), error (at the test's teardown) or off. "
        "--portalloc-leak overrides it",
        type="string",
        default="",
    )
    parser.addini(
        "portalloc_timeout",
        "seconds that a fixture waits for ports to come free. Default: 0, it fails at once",
        type="string",
        default="",
    )
    parser.addini(
        "portalloc_asyncio_fixtures",
        "whether unused_tcp_port, unused_udp_port and their _factory forms hold their ports, instead of "
        "pytest-asyncio's fixtures of these names, which do not. Default: false",
        type="bool",
        default=False,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text or 0)
    except ValueError:
        raise pytest.UsageError(f"portalloc_timeout: {text!r} is not a number of seconds") from None
    if not 0 <= seconds < float("inf"):
        raise pytest.UsageError(f"portalloc_timeout: {text!r} is not a number of seconds from 0 on")
    return seconds
