"""Options of the command line and the ini file: their names, their help and their values.

Loaded in every run. Knows nothing of what the options do. The native module reads variables and `portalloc.toml`, for
everything that is `None` here.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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
        # Not known to the command line if a test module has named the plugin, after that was read.
        leak = config.getoption("portalloc_leak", None) or _ini(config, "portalloc_leak") or "warn"
        if leak not in LEAK_MODES:
            raise pytest.UsageError(f"portalloc_leak: {leak!r} is not one of {', '.join(LEAK_MODES)}")
        return cls(
            pool=config.getoption("portalloc_pool", None) or _ports(config, "portalloc_pool"),
            exclude=_ports(config, "portalloc_exclude"),
            leak=leak,
            wait=_seconds(config, "portalloc_timeout"),
            asyncio_fixtures=_switch(config, "portalloc_asyncio_fixtures"),
            rootdir=str(config.rootpath),
        )


OPTIONS = pytest.StashKey[Options]()


def add_options(parser: pytest.Parser) -> None:
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


def _ini(config: pytest.Config, name: str) -> object:
    """The value of an option of type `string`, which is no string if TOML has another type for it."""
    try:
        return config.getini(name)
    except (TypeError, pytest.UsageError):
        # pytest 9 and newer read [tool.pytest] with TOML's types, and give out nothing but strings for `string`. What
        # it cannot mean is the value of `-o`, which is always a string.
        return _of_toml(config.inipath, name)


def _of_toml(path: Path | None, name: str) -> object:
    assert path is not None, "where would the value be from?"
    # As pytest itself does it, and needs it.
    toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    document = toml.loads(path.read_text(encoding="utf-8"))
    tables = (document.get("tool", {}).get("pytest", {}), document.get("pytest", {}))
    return next(table[name] for table in tables if name in table)


def _ports(config: pytest.Config, name: str) -> str | None:
    """Also a number, or a list."""
    value = _ini(config, name)
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in items):
        raise pytest.UsageError(
            f"{name}: {value!r} is not a port, a text such as '27017,28000-28010', or a list of them"
        )
    return ",".join(map(str, items)) or None


def _seconds(config: pytest.Config, name: str) -> float:
    value = _ini(config, name)
    try:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            seconds = float(value or 0)
            if 0 <= seconds < float("inf"):
                return seconds
    except (ValueError, OverflowError):
        pass
    raise pytest.UsageError(f"{name}: {value!r} is not a number of seconds from 0 on")


def _switch(config: pytest.Config, name: str) -> bool:
    try:
        return bool(config.getini(name))
    except (TypeError, ValueError, pytest.UsageError) as error:
        # pytest's own text has the value, and not always the name.
        raise pytest.UsageError(f"{name}: {error}") from None
