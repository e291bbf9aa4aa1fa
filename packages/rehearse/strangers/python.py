"""From PyPI: pip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packages.rehearse.case import Case, Room, Shelf
from packages.rehearse.runtimes import PYTHON_LIBRARIES, python

if TYPE_CHECKING:
    from packages.rehearse.stranger import Stranger

PAGE = "docs/python.md"


def shelf(short: bool) -> Shelf:
    versions = ("3.11",) if short else ("3.10", "3.11", "3.12", "3.13")
    return Shelf(pypi=dict.fromkeys(versions, (("pytest==8.*", "pytest-xdist"),)))


def cases(short: bool) -> list[Case]:
    versions = ("3.11",) if short else ("3.10", "3.11", "3.12", "3.13")
    return [
        Case(f"pip, Python {version}", PAGE, Room(PYTHON_LIBRARIES, (python(version),)), pip) for version in versions
    ]


def pip(stranger: Stranger) -> None:
    stranger.does("python3 -m venv .venv")
    stranger.ground.path.insert(0, f"{stranger.ground.home_inside}/project/.venv/bin")
    stranger.does("pip install 'pytest==8.*' pytest-xdist")
    before = stranger.files()
    stranger.installs("pip install portalloc")
    stranger.copies_example("test_server.py", "python")
    stranger.expects("1 passed", stranger.types("pytest -n 8"))
    stranger.does("rm -r test_server.py .pytest_cache && pip uninstall --yes portalloc")
    stranger.nothing_is_left_of(before)
