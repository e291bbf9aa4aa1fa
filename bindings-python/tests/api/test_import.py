"""What `import portalloc` costs and gives: every process of a test run pays for it."""

from __future__ import annotations

import inspect
import sys

import portalloc
import pytest
from support import run

HEAVY = [
    "argparse", "asyncio", "concurrent", "ctypes", "dataclasses", "datetime", "enum", "functools", "inspect", "json",
    "logging", "multiprocessing", "pathlib", "re", "selectors", "signal", "socket", "subprocess", "tempfile",
    "threading", "typing", "warnings",
]  # fmt: skip

#: Prints which of the modules in the arguments are there that were not before.
LOOK = "import sys\nbefore = set(sys.modules)\n{what}\nprint(*sorted(set(sys.argv[1:]) & (set(sys.modules) - before)))"


def imported_by(what: str) -> list[str]:
    # `-S` and `-E`: what the `.pth` files of an installation import is none of our business.
    path = f"sys.path[:] = {sys.path!r}\n"
    done = run(LOOK.format(what=path + what), *HEAVY, flags=["-S", "-E"])
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_nothing_heavy_is_imported() -> None:
    assert imported_by("import portalloc") == []


def test_nor_by_leases() -> None:
    assert imported_by("import portalloc\nwith portalloc.lease(2, guard=True) as lease: lease.ports") == []
    assert imported_by("import portalloc\nportalloc.environment(1).cleanup()") == []


def test_nor_by_ports() -> None:
    assert imported_by("import portalloc\nportalloc.give_back(portalloc.port())") == []


def test_the_look_sees_what_is_imported() -> None:
    assert "json" in imported_by("import json")


def test_everything_that_is_promised_is_there_and_explained() -> None:
    assert sorted(set(portalloc.__all__)) == sorted(portalloc.__all__)
    for name in portalloc.__all__:
        thing = getattr(portalloc, name)
        if callable(thing):
            assert inspect.getdoc(thing), name
            assert getattr(thing, "__module__", "").startswith("portalloc"), name
    public = {name for name in vars(portalloc) if name.isidentifier() and not name.startswith("_")}
    assert public - set(portalloc.__all__) <= {"TYPE_CHECKING", "errors", "summaries", "tools"}


@pytest.mark.parametrize("cls", [portalloc.Lease, portalloc.Environment, portalloc.PortReport, portalloc.Inheritable])
def test_every_method_is_explained(cls: type) -> None:
    for name, member in vars(cls).items():
        if not name.startswith("_"):
            assert inspect.getdoc(member), f"{cls.__name__}.{name}"


def test_signatures_are_shown() -> None:
    wait = inspect.signature(portalloc.wait_until_open)
    assert list(wait.parameters) == ["ports", "wait", "http", "status"]
    assert list(inspect.signature(portalloc.port).parameters) == ["pool", "exclude"]
    assert list(inspect.signature(portalloc.give_back).parameters) == ["port"]
    lease = inspect.signature(portalloc.lease)
    assert list(lease.parameters) == [
        "count", "exact", "offsets", "scattered", "pool", "exclude", "guard", "sticky_key", "prefer", "wait",
    ]  # fmt: skip
    kinds = {name: parameter.kind for name, parameter in lease.parameters.items()}
    assert kinds.pop("count") is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert set(kinds.values()) == {inspect.Parameter.KEYWORD_ONLY}


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    assert portalloc.__version__ == version("portalloc")


def test_a_reload_gives_the_same_classes() -> None:
    done = run(
        "import importlib, portalloc\n"
        "lease = portalloc.lease()\n"
        "again = importlib.reload(portalloc)\n"
        "print(isinstance(lease, again.Lease))\n"
        "lease.release()\n"
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
